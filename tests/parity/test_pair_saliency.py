"""Blur integrated gradients and guided integrated gradients are compared with their authors' code in PAIR saliency.

Saliency 0.2.1 calls `np.quantile` with the name that NumPy gave the argument `method` before 1.22. The test gives it the new name.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.parity.peers import pair_saliency
from tests.parity.twins import CLASSES, TOLERANCE, difference, photos, twins

START = np.full_like(photos()[0], -1)


def gradients_of(row: int) -> Any:
    """Return what the peer calls for the gradients of our model at a batch of inputs."""

    def call(batch: np.ndarray, call_model_args: Any = None, expected_keys: Any = None) -> dict[str, np.ndarray]:
        found = twins().probe.input_gradients(batch.astype(np.float32), np.full(len(batch), CLASSES[row], np.int32))
        return {pair_saliency.INPUT_OUTPUT_GRADIENTS: found.gradients.astype(np.float64)}

    return call


def values(method: str, **params: Any) -> np.ndarray:
    return np.concatenate([found.attribution.values for found in twins().run(method, photos(), **params)])


@pytest.mark.parametrize(("steps", "max_sigma"), [(20, 5.0), (7, 50.0)])
def test_blur_ig(steps: int, max_sigma: float) -> None:
    peer = pair_saliency.BlurIG()
    expected = [
        peer.GetMask(photo.astype(np.float64), gradients_of(row), max_sigma=max_sigma, steps=steps) for row, photo in enumerate(photos())
    ]
    assert difference(values("blur_ig", steps=steps, max_sigma=max_sigma, rule="left"), np.stack(expected)) < TOLERANCE


@pytest.mark.parametrize(("steps", "fraction", "max_dist"), [(20, 0.25, 0.02), (15, 0.1, 0.3), (10, 0.5, 1.0)])
def test_guided_ig(steps: int, fraction: float, max_dist: float, monkeypatch: pytest.MonkeyPatch) -> None:
    quantile = np.quantile

    def renamed(values: np.ndarray, share: float, *, interpolation: str = "", method: Any = "linear") -> Any:
        return quantile(values, share, method=interpolation or method)

    monkeypatch.setattr(np, "quantile", renamed)
    peer, how = pair_saliency.GuidedIG(), {"x_steps": steps, "fraction": fraction, "max_dist": max_dist}
    expected = [peer.GetMask(photo, gradients_of(row), x_baseline=START, **how) for row, photo in enumerate(photos())]
    found = values("guided_ig", steps=steps, fraction=fraction, max_distance=max_dist, rule="left", baseline="black")
    assert difference(found, np.stack(expected)) < TOLERANCE
