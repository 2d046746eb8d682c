"""Keep the images of a layer's channels for other jobs, and rank them; `filters` and `filter_atlas` share this."""

from __future__ import annotations

import json

import numpy as np
from jaxtyping import Bool, Float32

from schemas.methods.synthesis.ascent_params import AscentParams
from workers.contract.arrays import Arrays
from workers.contract.synthesis import AscentState


def work_key(params: AscentParams, layer: str) -> str:
    """Return a text that is equal for two jobs exactly if they make the same image of a channel. The tiling does not matter."""
    shared = params.model_dump(mode="json", include=set(AscentParams.model_fields) - {"columns", "annotate"})
    return json.dumps({"layer": layer, **shared}, sort_keys=True)


def image_piece(state: AscentState, index: int) -> Arrays:
    """Return the arrays of one finished image, which other jobs can reuse."""
    return {"image": state.images[index], "values": state.values[index], "seen": state.gradient_seen[index]}


def ranking(values: Float32[np.ndarray, " n"], alive: Bool[np.ndarray, " n"]) -> list[int]:
    """Return the indices from the highest value to the lowest, then those of dead images. Equal values keep their order."""
    return sorted(range(len(values)), key=lambda index: (not alive[index], -values[index]))
