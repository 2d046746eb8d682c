"""FullGrad: scaling and maps by hand, and what becomes of parts without a place."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.limits import MethodLimits
from schemas.methods.gradients.full_grad import FullGrad, FullGradFacts
from tests.workers.methods.support import FormulaProbe, batch, photo_of
from workers.contract.full_gradients import FullGradients
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.methods.gradients import full_grad

WHOLE = MapPlace.whole((2, 4))


class PartsProbe(FormulaProbe):
    """A probe whose score has a bias of 2 at each value of `conv`, one at `pool` without a map, and a rest."""

    def full_gradients(self, tensor: np.ndarray, class_indices: np.ndarray, *, output: str | None = None) -> FullGradients:
        found = self.gradients(tensor, "conv", class_indices)
        biases = {"conv": 2 * found.gradients, "pool": np.full((len(tensor), 3), 0.25, np.float32)}
        rest = np.full(len(tensor), -1, np.float32)
        return FullGradients(found.gradients, biases, rest, found.logits, found.probabilities, found.class_indices)


def test_both_scalings_by_hand() -> None:
    parts = np.array([[[1, -10], [-3, 30]]], np.float32)
    # over the layer |parts| go from 1 to 30, in the channels from 1 to 3 and from 10 to 30
    np.testing.assert_allclose(full_grad.scaled_sum(parts, "layer"), [[9 / 29, 2 / 29 + 1]], rtol=1e-5)
    np.testing.assert_allclose(full_grad.scaled_sum(parts, "channel"), [[0, 2]], rtol=1e-5)


def test_the_map_by_hand() -> None:
    at_input = np.zeros((2, 4, 1), np.float32)
    at_input[1, 2] = -5
    coarse = np.array([[[4.0], [8.0]]], np.float32)
    # the coarse layer is 0 and 1 after scaling, and enlarged to 0, .25, .75, 1
    expected = np.array([[0, 0.25, 0.75, 1]] * 2) + at_input[..., 0] / -5
    np.testing.assert_allclose(full_grad.full_grad(at_input, [(coarse, WHOLE)], "layer"), expected, rtol=1e-5)


def test_equal_parts_everywhere_add_nothing() -> None:
    assert not full_grad.scaled_sum(np.full((2, 3, 2), 7, np.float32), "layer").any()


def test_sums_classes_and_facts() -> None:
    tensor, probe = batch(2), PartsProbe()
    params = FullGrad(class_index=(0, 2))
    one, _ = full_grad.run(probe, Inputs(tensor), [params, params])
    logits = probe._logits(tensor)[0, [0, 2]].astype(np.float64)
    # the score is Σ W·A² and its gradient 2·W·A, so input · gradient is twice the score
    np.testing.assert_allclose(one.from_input, 2 * logits, rtol=1e-5)
    gradients = [2 * probe.WEIGHTS[c] * tensor[0] for c in (0, 2)]
    biases = np.array([2 * each.sum() for each in gradients]) + 0.75 - 1
    np.testing.assert_allclose(one.from_biases, biases, rtol=1e-4)
    np.testing.assert_allclose(one.without_place, [-0.25, -0.25], rtol=1e-5)
    np.testing.assert_allclose(one.errors, np.abs(logits + biases) / np.abs(logits), rtol=1e-4)
    assert one.layers == 1
    for row, gradient in enumerate(gradients):
        expected = full_grad.scaled_sum(gradient * tensor[0], "layer") + full_grad.scaled_sum(2 * gradient, "layer")
        np.testing.assert_allclose(one.maps[row], expected, rtol=1e-5)
    facts = full_grad.draw(one, photo_of(), params).facts
    assert isinstance(facts, FullGradFacts)
    assert (facts.biased_layers, len(facts.from_input), facts.without_place) == (1, 2, tuple(one.without_place.tolist()))


@pytest.mark.parametrize("scaling", ["layer", "channel"])
def test_the_scaling_reaches_the_formula(scaling: full_grad.PartScaling) -> None:
    tensor = batch(1)
    params = FullGrad(class_index=1, scaling=scaling)
    (found,) = full_grad.run(PartsProbe(), Inputs(tensor), [params])
    gradient = 2 * FormulaProbe.WEIGHTS[1] * tensor[0]
    expected = full_grad.scaled_sum(gradient * tensor[0], scaling) + full_grad.scaled_sum(2 * gradient, scaling)
    np.testing.assert_allclose(found.maps[0], expected, rtol=1e-5)
    assert full_grad.batch_key(params) != full_grad.batch_key(FullGrad(scaling="layer" if scaling == "channel" else "channel"))
    assert MethodLimits()
