"""Let the steps of a gradient ascent find no memory, and compare its result with that of single images."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np

from benchmarks.fault_drill.registry import Fault, Figure

_CHANNELS = (5, 0, 3, 1, 2, 4, 6, 7)


async def run(folder: Path, short: bool) -> list[Figure]:
    return await asyncio.to_thread(_figures)


def _figures() -> list[Figure]:
    import tensorflow as tf

    from tests.workers.engine.ascent.support import ScarceMemoryCache, fourier_spec, lively
    from tests.workers.engine.ascent.support import run as ascend
    from workers.contract.synthesis import Objective

    model = lively()
    spec = fourier_spec(Objective("channel", "conv2", _CHANNELS))
    scarce = ScarceMemoryCache(2)
    halved = ascend(model, spec, scarce).images
    single = np.concatenate([ascend(model, fourier_spec(Objective("channel", "conv2", (channel,)))).images for channel in _CHANNELS])
    difference = float(np.abs(halved - single).max())
    try:
        ascend(model, spec, ScarceMemoryCache(1))
        fails = False
    except tf.errors.ResourceExhaustedError:
        fails = True
    return [
        Figure("8 filters in calls of 2, beside single filters", "within 1e-5", f"{difference:.1e}", difference <= 1e-5),
        Figure("calls without memory before the batch fitted", "3", f"{scarce.refused}", scarce.refused == 3),
        Figure("a batch that does not fit after two halvings", "fails", "failed" if fails else "did not fail", fails),
    ]


FAULT = Fault("device-memory", "The device has no memory for a batch (the error is injected)", run, 40)
