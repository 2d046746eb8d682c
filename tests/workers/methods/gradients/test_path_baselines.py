"""Baselines of integrated gradients and its relatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from schemas.models import Preprocessing
from tests.workers.methods.support import batch
from workers.methods.gradients.path_baselines import path_baseline


def test_baselines_are_in_the_units_of_the_models_input() -> None:
    x = batch(1)[0]
    spec = Preprocessing(mode="custom", mean=(10.0, 20.0, 30.0), std=(2.0, 4.0, 5.0), order="bgr")

    def start(kind: Any, seed: int = 0) -> np.ndarray:
        return path_baseline(kind, x, spec, seed)

    np.testing.assert_allclose(start("black"), np.broadcast_to(np.array([-5, -5, -6]), x.shape))
    np.testing.assert_allclose(start("white"), np.broadcast_to(np.array([122.5, 58.75, 45]), x.shape))
    np.testing.assert_allclose(start("mean"), np.broadcast_to(x.mean((0, 1)), x.shape), rtol=1e-5)
    blurred = start("blurred")
    assert 0 < np.ptp(blurred) < np.ptp(x)
    first, again, other = (start("random", seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    pixels = first[..., ::-1] * np.array([5, 4, 2]) + np.array([30, 20, 10])
    assert 0 <= pixels.min() < 30
    assert 225 < pixels.max() <= 255
