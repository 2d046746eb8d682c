"""The calls of the soak. Models, methods, layers, classes, photos and representations vary, and a few calls are wrong."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from benchmarks.soak_drill.models import MODELS, SoakModel
from tests.workers.tiny import photo

CALLS_OF_A_TURN = 20  # calls until other models come to the fore, so that models are unloaded and loaded again
_WITH_LAYER = ("grad_cam", "grad_cam_plus_plus", "layer_cam", "hires_cam", "eigen_cam", "activations")
_OF_THE_INPUT = ("predict", "saliency", "grad_x_input", "guided_backprop")
_SLOW: dict[str, dict[str, str]] = {
    "integrated_gradients": {"steps": "8"},
    "smooth_grad": {"samples": "4"},
    "score_cam": {},
    "filters": {"size": "32", "steps": "12"},
}
_ACCEPTED = ("image/png", "application/json", "application/zip", "*/*")


@dataclass(frozen=True)
class SoakCall:
    """One call of `POST /v1/{method}`, and the status that its answer must have."""

    method: str
    fields: dict[str, str]
    photo: bytes | None
    accept: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])


def call(number: int) -> SoakCall:
    """Return the call of this number. It is always the same one."""
    chance = random.Random(number)  # noqa: S311 - the calls only have to differ
    turn = number // CALLS_OF_A_TURN
    model = MODELS[turn % len(MODELS)] if chance.random() < 0.8 else chance.choice(MODELS)
    fields, status = {"model": model.name}, 200
    kind = chance.random()
    if kind < 0.45:
        method = chance.choice(_WITH_LAYER)
        fields["layer"] = chance.choice(model.layers)
    elif kind < 0.8:
        method = chance.choice(_OF_THE_INPUT)
    else:
        method = chance.choice(list(_SLOW))
        fields |= _SLOW[method]
        if method == "filters":
            fields |= _filter(model, chance)
    if "cam" in method and method != "eigen_cam":
        fields["class_index"] = str(chance.randrange(5))
    if number % 25 == 0:
        fields, status = fields | {"layer": "no_such_layer"}, 422
    height, width = (24, 32) if model.height is None else (chance.randrange(20, 70), chance.randrange(20, 70))
    image = None if method == "filters" else photo(number, height, width)
    return SoakCall(method, fields, image, chance.choice(_ACCEPTED), status)


def _filter(model: SoakModel, chance: random.Random) -> dict[str, str]:
    layer = chance.randrange(len(model.channels))
    return {"layer": f"conv{layer}", "channels": str(chance.randrange(1, 4)), "seed": str(chance.randrange(10**6))}
