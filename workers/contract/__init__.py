"""What methods and the engine say to each other: arrays and plain records, no TensorFlow, no Redis, no HTTP.

A method is a module in `workers/methods/` named as its parameter model's `card.name`, with

    run(probe, inputs, params)   on a device thread; fast lane: returns one result for each job of the batch;
                                 slow lane: a generator that yields a `Slice` between slices and returns its one result
    draw(result, photo, params)  off the device: pictures, arrays, facts and warnings
    batch_key(params)            optional, fast lane: jobs of one model and method with equal keys run as one batch;
                                 without it each distinct `params` is a batch of its own
    reusable(params)             optional, slow lane: what of the job is kept for others (`Reusable`), or None

where `result` is whatever the module's own `run` and `draw` agree on. That of an attribution, a method with the artifacts
`overlay` and `map`, has `maps` (n, h, w), one a class: `faithfulness` puts them to the test. A method that needs no model has no
`run`, and `result` is None.
"""
