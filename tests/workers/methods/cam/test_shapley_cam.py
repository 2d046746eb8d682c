"""ShapleyCAM: the formula by hand, whole maps by plain loops, and what the probe is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schemas.methods import METHODS
from tests.workers.methods.cam.support import TwoLayers
from tests.workers.methods.support import FormulaProbe, batch
from workers.contract.inputs import Inputs
from workers.contract.probe import LayerGradients
from workers.methods import implementation
from workers.methods.cam import shapley_cam


class CubicProbe(FormulaProbe):
    """The score of class c is WEIGHTS[c]·Σ A³, so G = 3·W·A² and H·A = 6·W·A². It keeps the scores that it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    def gradients(self, tensor: np.ndarray, layer: str, class_indices: Any, *, products: bool = False, **given: Any) -> LayerGradients:
        self.asked.append(given.pop("score"))
        found = super().gradients(tensor, layer, class_indices, **given)
        cubic = (3 * self.WEIGHTS[found.class_indices][:, None, None, :] * tensor**2).astype(np.float32)
        return LayerGradients(tensor, cubic, found.logits, found.probabilities, found.class_indices, 2 * cubic if products else None)


def run(probe: FormulaProbe, tensor: np.ndarray, **params: Any) -> np.ndarray:
    jobs = [METHODS["shapley_cam"].model_validate({"layer": "conv", **params})] * len(tensor)
    return np.concatenate([found.maps for found in implementation("shapley_cam").run(probe, Inputs(tensor), jobs)])


def test_the_formula_by_hand() -> None:
    gradients, products = np.array([[[[1, -1], [3, 2]]]], np.float32), np.array([[[[4, 0], [-2, 6]]]], np.float32)
    np.testing.assert_array_equal(shapley_cam.second_order(gradients, products), [[[[-1, -1], [4, -1]]]])


def test_a_cubic_score_by_plain_loops() -> None:
    tensor = batch(3)
    found = run(CubicProbe(), tensor, class_index=1)
    for n in range(3):
        # G − ½·H·A = 3·W·A² − 3·W·A² = 0 in every channel: the score of order 3 has no part of order 1 or 2 at its activations
        np.testing.assert_allclose(found[n], 0, atol=1e-6)
    squares = run(FormulaProbe(), tensor, class_index=1, score="logit")
    for n in range(3):
        a = tensor[n].astype(float)
        # G = 4·A₁ and H·A = 4·A₁ for the channel 1, so its weight is the mean of 2·A₁
        expected = np.array([[max(2 * a[..., 1].mean() * a[y, x, 1], 0) for x in range(6)] for y in range(4)])
        np.testing.assert_allclose(squares[n], expected, rtol=1e-5)
        assert expected.max() > 0


@pytest.mark.parametrize("score", ["rest", "logit", "probability"])
def test_the_score_reaches_the_probe_and_keeps_jobs_apart(score: str) -> None:
    probe = CubicProbe()
    run(probe, batch(1), class_index=1, score=score)
    assert probe.asked == [score]
    params = METHODS["shapley_cam"]
    keys = {shapley_cam.batch_key(params.model_validate({"layer": "conv", "score": each})) for each in ("rest", "logit", "probability")}
    assert len(keys) == 3


def test_several_layers_and_variants_are_passes_of_their_own() -> None:
    probe = TwoLayers()
    run(probe, batch(2), layer=["conv", "coarse"], augment=True, score="logit")
    assert probe.calls == [2] * 12
