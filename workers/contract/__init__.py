"""The arrays and plain records that methods and the engine exchange.

Nothing here knows TensorFlow, Redis or HTTP. `method.py` says which functions a method has, `probe.py` what a method may ask of a model,
`inputs.py` what it is given, `progress.py` what a slow method reports, `synthesis.py` what gradient ascent needs, and `artifacts.py` what a
method returns.
"""
