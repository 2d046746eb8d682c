"""Let the values of an ascent grow beyond what float32 can hold."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from benchmarks.fault_drill.registry import Fault, Figure


async def run(folder: Path, short: bool) -> list[Figure]:
    return await asyncio.to_thread(_figures)


def _figures() -> list[Figure]:
    import keras

    from schemas.errors import NonFinite
    from tests.workers.engine.ascent.support import TF_PREPROCESSING, ascent, pixel_spec
    from workers.contract.synthesis import Objective
    from workers.engine.compiled_cache import CompiledCache
    from workers.engine.graph import Graph

    photo = keras.Input((None, None, 3), name="photo")
    model = keras.Model(photo, keras.layers.Activation(keras.ops.exp, name="exp")(photo))
    spec = pixel_spec(Objective("channel", "exp", (0,)), learning_rate=200.0)
    kept: list[np.ndarray] = []
    code = "no error"
    try:
        kept.extend(np.array(each.images) for each in ascent(Graph(model), TF_PREPROCESSING, spec, CompiledCache()))
    except NonFinite as error:
        code = error.code
    bad = sum(not np.isfinite(images).all() for images in kept)
    return [
        Figure("an ascent whose values overflow", "non_finite", code, code == "non_finite"),
        Figure("pictures on the way that are not finite", "none", f"{bad} of {len(kept)}", bad == 0),
    ]


FAULT = Fault("non-finite", "Values that are not finite", run, 130)
