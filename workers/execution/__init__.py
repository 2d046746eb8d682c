"""Jobs from the queue to their results: claim, load the inputs, compute on the device, render, store.

Only this room of the workers meets the store. `claim_loop.py` claims executions, `attempt.py` runs one of them and stores how it ended,
`pipeline.py` is the way from the execution to its result, and `scheduler.py` decides what is on the device.
"""
