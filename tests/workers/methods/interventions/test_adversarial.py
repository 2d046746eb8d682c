"""Attacks on a linear model, whose smallest changes are known: the margin over the norm of the difference of the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from rendering import colormaps
from rendering.charts.scaled_tiles import GAP, LETTERS, LONGEST, scaled_tile_size
from rendering.charts.style import BLUE
from rendering.charts.tile_with_scale import picture_left
from rendering.photo import Photo, Placement
from rendering.text import line_height
from schemas.errors import NoGradient
from schemas.methods.interventions.adversarial import Adversarial, AdversarialFacts
from schemas.models import Preprocessing
from tests.drawn import drawn
from tests.workers.methods.linear import LinearProbe, driven
from workers.contract.arrays import Float32
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import InputGradients, Probe
from workers.contract.scores import Readout
from workers.methods.interventions import adversarial
from workers.methods.interventions.adversarial_pictures import enlarging_factor
from workers.methods.interventions.attacks import PRECISION
from workers.methods.interventions.pixel_units import as_input, as_pixels

SPEC = Preprocessing(mode="custom", mean=(100.0, 110.0, 120.0), std=(2.0, 4.0, 8.0))
RNG = np.random.default_rng(3)
WEIGHTS = RNG.normal(0, 1, (3, 3, 4, 3))
PIXELS = RNG.uniform(90, 160, (3, 4, 3))
PHOTO = Photo(np.rint(PIXELS).astype(np.uint8), Placement((3, 4), (0, 0, 3, 4), (0, 0, 3, 4)))


class AttackedProbe(LinearProbe):
    """A linear model with true gradients, whose logits can be summed with weights."""

    def explaining(self, readout: Readout, weights: Float32, names: Sequence[str]) -> Probe:
        assert readout == Readout("logits")
        return AttackedProbe(np.tensordot(weights, self.linear, 1), self.description.preprocessing)

    def input_gradients(self, tensor: Float32, class_indices: np.ndarray, **_: Any) -> InputGradients:
        logits = self._logits(tensor)
        return InputGradients(self.linear[class_indices], logits, logits, class_indices)


PROBE = AttackedProbe(WEIGHTS, SPEC)
TENSOR = as_input(PIXELS, SPEC)
LOGITS = (TENSOR * WEIGHTS).sum(axis=(1, 2, 3))
ORDER = np.argsort(-LOGITS).tolist()
PER_PIXEL = WEIGHTS / np.array(SPEC.std)


def attacked(probe: LinearProbe = PROBE, photo: Photo = PHOTO, **params: Any) -> tuple[AdversarialFacts, Output]:
    occluded = {"attribution": "occlusion", "options": {"window": [1, 1], "stride": [1, 1]}, "top": 3}
    asked = Adversarial.model_validate({**occluded, **params})
    asked = asked.changed(step_size=asked.step_size or 2.5 * asked.epsilon / asked.steps)
    _, result = driven(adversarial.run(probe, Inputs(TENSOR[None], photo.image, photos=(photo,)), asked))
    output = adversarial.draw(result, photo, asked)
    assert isinstance(output.facts, AdversarialFacts)
    return output.facts, output


def array(output: Output, name: str) -> np.ndarray:
    (found,) = (each.array for each in output.artifacts if isinstance(each, Array) and each.name == name)
    return np.asarray(found)


def margin(of: int, other: int) -> tuple[float, np.ndarray]:
    return float(LOGITS[of] - LOGITS[other]), PER_PIXEL[of] - PER_PIXEL[other]


def test_pixels_and_inputs_are_inverse() -> None:
    np.testing.assert_allclose(as_pixels(TENSOR, SPEC), PIXELS, rtol=1e-5)


def test_two_classes_flip_at_the_margin_over_the_norm() -> None:
    """With two classes the gradient of the cross entropy is a multiple of the difference of the weights, so FGSM is the best attack."""
    two = AttackedProbe(WEIGHTS[:2], SPEC)
    best, other = (0, 1) if LOGITS[0] > LOGITS[1] else (1, 0)
    left, difference = margin(best, other)
    for norm, edge in (("linf", left / np.abs(difference).sum()), ("l2", left / np.linalg.norm(difference))):
        facts, output = attacked(two, norm=norm, epsilon=40 * edge)
        assert facts.flipped
        assert facts.smallest_epsilon == pytest.approx(edge, abs=1.01 * PRECISION)
        assert facts.epsilon == facts.smallest_epsilon
        assert (facts.before[0].class_index, facts.after[0].class_index) == (best, other)
        size = np.abs(array(output, "change")).max() if norm == "linf" else np.linalg.norm(array(output, "change"))
        assert size == pytest.approx(facts.epsilon, rel=1e-4)
        np.testing.assert_allclose(array(output, "input"), TENSOR + array(output, "change") / np.array(SPEC.std), rtol=1e-4, atol=1e-4)


def test_below_the_margin_nothing_is_found_and_it_is_said() -> None:
    two = AttackedProbe(WEIGHTS[:2], SPEC)
    left, difference = margin(*((0, 1) if LOGITS[0] > LOGITS[1] else (1, 0)))
    facts, output = attacked(two, epsilon=0.9 * left / np.abs(difference).sum())
    assert (facts.flipped, facts.smallest_epsilon) == (False, None)
    assert output.warnings[0].startswith("No change up to")


def test_a_target_becomes_the_top_class() -> None:
    target = ORDER[2]
    for attack in ("fgsm", "pgd"):
        facts, _ = attacked(attack=attack, target_class=target, epsilon=100.0, steps=40)
        assert facts.flipped, attack
        assert facts.after[0].class_index == target
        assert target in [each.class_index for each in facts.before]


def test_pgd_stays_within_its_bound_and_lowers_the_answer() -> None:
    for norm in ("linf", "l2"):
        for start in (False, True):
            facts, output = attacked(attack="pgd", norm=norm, epsilon=1.5, steps=7, random_start=start, seed=2)
            assert (facts.change_linf if norm == "linf" else facts.change_l2) <= 1.5 + 1e-9
            assert facts.gradients == 7
            assert facts.smallest_epsilon is None
            logits = {each.class_index: each.logit for each in facts.after}
            first, second = facts.before[:2]
            assert logits[first.class_index] - logits[second.class_index] < first.logit - second.logit
            assert np.abs(array(output, "change")).max() > 0


def test_pixels_stay_in_the_range_of_a_photo() -> None:
    facts, output = attacked(smallest=False, epsilon=200.0)
    changed = PIXELS + array(output, "change")
    assert changed.min() >= -1e-3
    assert changed.max() <= 255 + 1e-3
    assert facts.change_linf > 90


def test_the_bars_of_a_letterbox_are_not_changed() -> None:
    """The photo fills the middle row of the input only."""
    boxed = Photo(PHOTO.image[1:2], Placement((3, 4), (1, 0, 1, 4), (0, 0, 1, 4)))
    _, output = attacked(photo=boxed, smallest=False, epsilon=5.0)
    change = array(output, "change")
    assert not change[[0, 2]].any()
    assert np.abs(change[1]).min() > 0


def test_a_model_that_nothing_moves_is_refused() -> None:
    with pytest.raises(NoGradient, match="has no direction"):
        attacked(AttackedProbe(np.zeros((2, 3, 4, 3)), SPEC))


def test_small_changes_are_enlarged_by_a_power_of_two_and_shown_around_grey() -> None:
    assert [enlarging_factor(np.array([[[value]]])) for value in (0.0, 1.0, -127.0, 0.5, 200.0)] == [1, 64, 1, 128, 0.5]
    _, output = attacked()
    pictures = {each.name: each.image for each in drawn(output).artifacts if isinstance(each, Picture)}
    np.testing.assert_array_equal(pictures["changed"], np.rint(PIXELS + array(output, "change")).astype(np.uint8))


def test_scales_and_the_scores_before_and_after_are_there_only_if_the_picture_is_annotated() -> None:
    """The last row has a heat with its scale, the scores before and after, and the other heat with its scale."""
    (_, full), (_, bare) = (attacked(annotate=annotate) for annotate in (True, False))
    whole, plain = (next(each.image for each in output.artifacts if isinstance(each, Picture) and each.primary) for output in (full, bare))
    height, width = scaled_tile_size((PIXELS.shape[0], PIXELS.shape[1]))
    row = whole[-height - line_height(13) : -line_height(13)]  # a line below it says what red and blue mean
    tiles = [row[:, number * (width + GAP) :][:, :width] for number in range(3)]
    for tile, has_scale in zip(tiles, (True, False, True), strict=True):
        ends = [
            (tile[:, picture_left(LETTERS, scale=True) + LONGEST :] == colormaps.table("signed")[end]).all(-1).any() for end in (0, 255)
        ]
        assert ends == [has_scale, has_scale]
    assert (tiles[1] == BLUE).all(-1).any()
    assert not (plain == BLUE).all(-1).any()
