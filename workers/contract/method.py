"""The functions that make a method, and an example.

The method whose parameters are in `schemas/methods/<family>/<name>.py` is the module `workers/methods/<family>/<name>.py`. For example, a
fast method that returns the logits of a photo:

    def run(probe: Probe, inputs: Inputs, params: Sequence[Logits]) -> list[Float32]:
        logits = probe.forward(inputs.tensor, scores=True).logits
        return list(logits)

    def draw(result: Float32, photo: Photo, params: Logits) -> Output:
        return Output((Array("logits", result),), LogitsFacts(classes=len(result)))

    def batch_key(params: Logits) -> Hashable:
        return ()

`run` and `draw` agree on the type of the result between themselves. There is one rule: the result of a method with the artifacts `overlay`
and `map` has an attribute `maps`, float32 (n, h, w), with one map for each class. The methods of the family `evaluation` judge these maps.
If they need not lie over the whole input, the result also has an attribute `place`, a `MapPlace`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from rendering.photo import Photo
from schemas.methods.card import Lane
from workers.contract.artifacts import Output
from workers.contract.progress import Reusable


@dataclass(frozen=True)
class Implementation:
    """The functions of one method. The registry in `workers/methods` builds it from the method's module.

    Attributes:
        method: the name of the method.
        lane: `fast` or `slow`, from the method's card.
        run: computes the result on a device thread.
            Fast lane: `run(probe, inputs, params)` gets the parameters of all jobs in the batch, and returns a sequence with one result for
            each row of `inputs.tensor`.
            Slow lane: `run(probe, inputs, params)` gets the parameters of one job. It is a generator that yields a
            `workers.contract.progress.Slice` after each slice of at most about 250 ms, and returns the result at its end.
            A method that needs no model has no `run`, and its result is None.
        draw: `draw(result, photo, params)` turns the result of one job into artifacts, facts and warnings. It runs off the device. `photo`
            is None if the method needs no image.
        batch_key: `batch_key(params)` is optional in the fast lane, and not allowed in the slow lane. Jobs of one model and method run as
            one batch if their keys are equal. Without it, they do if their parameters are equal.
        reusable: `reusable(params)` is optional in the slow lane, and not allowed in the fast lane. It says which pieces of the work later
            jobs can reuse; None means that there are none.
    """

    method: str
    lane: Lane
    run: Callable[..., Any]
    draw: Callable[[Any, Photo | None, Any], Output]
    batch_key: Callable[[Any], Hashable]
    reusable: Callable[[Any], Reusable | None]
