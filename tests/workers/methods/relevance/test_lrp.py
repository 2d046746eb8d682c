"""`lrp` as a caller sees it: rules, facts, classes and the range of the input."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.limits import MethodLimits
from schemas.methods.relevance.lrp import Lrp, LrpFacts
from schemas.models import Preprocessing
from tests.workers.methods.support import FormulaProbe, batch, photo_of
from workers.contract.arrays import Float32
from workers.contract.inputs import Inputs
from workers.contract.relevance import InputRange, RelevanceRules, Relevances
from workers.methods.relevance import lrp


class SquaresProbe(FormulaProbe):
    """The relevance of a value is its own part w·x² of the logit Σ w·x², and a tenth of all is lost."""

    def relevances(
        self, tensor: Float32, class_indices: np.ndarray, rules: RelevanceRules, values: InputRange, *, output: str | None = None
    ) -> Relevances:
        found = self.gradients(tensor, "conv", class_indices)
        self.asked, self.values = rules, values
        shares = np.float32(0.9) * found.gradients * tensor / 2
        return Relevances(shares, found.logits, found.probabilities, found.class_indices, {"flat": 1, "z_plus": 4}, 3, 1)


def resolved(**params: object) -> Lrp:
    return Lrp.model_validate(params).resolve(SquaresProbe().published, MethodLimits())


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, RelevanceRules("z_plus", "epsilon", "flat")),
        ({"composite": "epsilon_gamma_box", "gamma": 0.5}, RelevanceRules("gamma", "epsilon", "z_box", gamma=0.5)),
        ({"composite": "epsilon_alpha2_beta1", "rule_alpha": 3}, RelevanceRules("alpha_beta", "epsilon", None, alpha=3)),
        ({"composite": "epsilon", "first_rule": "w_square", "epsilon": 0.1}, RelevanceRules("epsilon", "epsilon", "w_square", 0.1)),
        ({"convolution_rule": "gamma", "dense_rule": "flat", "first_rule": "as_others"}, RelevanceRules("gamma", "flat", None)),
    ],
)
def test_a_composite_chooses_the_rules_that_are_not_given(params: dict[str, object], expected: RelevanceRules) -> None:
    assert lrp.rules_of(resolved(**params)) == expected


def test_rules_must_be_resolved() -> None:
    with pytest.raises(ValueError, match="not resolved"):
        lrp.rules_of(Lrp())


def test_the_facts_say_how_much_of_the_score_arrived() -> None:
    probe, tensor = SquaresProbe(), batch(2)
    one, two = lrp.run(probe, Inputs(tensor), [resolved(class_index=[0, 2]), resolved(class_index=1)])
    logits = (tensor**2).sum(axis=(1, 2)) @ probe.WEIGHTS.T
    np.testing.assert_allclose(one.sums, 0.9 * logits[0, [0, 2]], rtol=1e-5)
    np.testing.assert_allclose([*one.errors, *two.errors], 0.1, rtol=1e-4)
    np.testing.assert_allclose(two.maps[0], 0.9 * 2 * tensor[1, ..., 1] ** 2, rtol=1e-5)
    output = lrp.draw(one, photo_of(), resolved(class_index=[0, 2]))
    facts = output.facts
    assert isinstance(facts, LrpFacts)
    assert [each.class_index for each in facts.classes] == [0, 2]
    assert (facts.rules, facts.batch_norms_merged, facts.batch_norms_passed) == ({"flat": 1, "z_plus": 4}, 3, 1)
    assert facts.relevance == pytest.approx(0.9 * logits[0, [0, 2]], rel=1e-5)


def test_a_score_of_zero_has_no_share() -> None:
    tensor = np.zeros((1, 4, 6, 3), np.float32)
    (found,) = lrp.run(SquaresProbe(), Inputs(tensor), [resolved(class_index=0)])
    np.testing.assert_array_equal(found.errors, [0])


def test_the_range_is_that_of_pixels_and_of_values_beyond_them() -> None:
    """Pixels of 0-255 become −1 to 1 with this mean, and in the second channel 2 to −2, since its standard deviation is below 0."""
    spec = Preprocessing(mean=(127.5, 127.5), std=(127.5, -63.75))
    tensor = np.array([[0.5, 3.0], [-4.0, 0.0]], np.float32).reshape(2, 1, 1, 2)
    found = lrp.input_range(tensor, spec)
    np.testing.assert_allclose(found.low.reshape(2, 2), [[-1, -2], [-4, -2]])
    np.testing.assert_allclose(found.high.reshape(2, 2), [[1, 3], [1, 2]])
