"""The agreement of two halves of the masks: by hand, and for each method whose masks or samples are random."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering.drawings.maps_on_photo import MapsOnPhoto
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.methods.perturbation.agreement import AgreementFacts
from tests.workers.methods.linear import LinearProbe, driven
from tests.workers.methods.support import photo_of
from workers.contract.artifacts import Output, Picture, PictureOfArrays
from workers.contract.inputs import Inputs
from workers.methods import implementation
from workers.methods.perturbation import kernel_shap, map_noise, sobol

RNG = np.random.default_rng(3)
IMAGE = RNG.uniform(1, 2, (1, 8, 8, 3)).astype(np.float32)
WEIGHTS = np.zeros((2, 8, 8, 3))
WEIGHTS[0, :4, :4], WEIGHTS[0, 4:, 4:] = 1 / 8, -1 / 8
METHODS_OF_CHANCE: dict[str, dict[str, Any]] = {
    "rise": {"cells": 2, "masks": 2000},
    "sobol": {"cells": 2, "designs": 64},
    "hsic": {"cells": 2, "masks": 400},
    "lime": {"segmentation": "grid", "segments": 4, "samples": 200},
    "kernel_shap": {"segmentation": "grid", "segments": 16, "samples": 400},
}


def explained(method: str, weights: np.ndarray, **given: Any) -> Output:
    probe = LinearProbe(weights)
    params = METHODS[method].model_validate({"class_index": 0, "score": "logit", **given}).resolve(probe.published, MethodLimits())
    _, found = driven(implementation(method).run(probe, Inputs(IMAGE), params))
    return implementation(method).draw(found, photo_of(), params)


def agreement_of(output: Output) -> float | None:
    assert isinstance(output.facts, AgreementFacts)
    (found,) = output.facts.agreement
    return found


def test_agreement_by_hand() -> None:
    first, second = np.array([[[0.0, 1.0, 2.0]], [[1.0, 1.0, 1.0]]]), np.array([[[0.0, 2.0, 1.0]], [[1.0, 2.0, 3.0]]])
    # the deviations of the first class are (−1, 0, 1) and (−1, 1, 0): 1 / (√2 · √2)
    assert map_noise.agreements(first, second) == (pytest.approx(0.5), None)


def test_every_method_of_chance_is_tried_here() -> None:
    assert {name for name, params in METHODS.items() if issubclass(params.card.facts, AgreementFacts)} == METHODS_OF_CHANCE.keys()


@pytest.mark.parametrize("method", METHODS_OF_CHANCE)
def test_a_linear_model_of_a_few_places_has_a_map_without_noise(method: str) -> None:
    output = explained(method, WEIGHTS, **METHODS_OF_CHANCE[method])
    assert (agreement_of(output) or 0) > 0.9
    assert not output.warnings
    assert all(not each.contrasts for each in maps_of(output))


@pytest.mark.parametrize("method", METHODS_OF_CHANCE)
def test_a_score_that_never_changes_has_no_agreement(method: str) -> None:
    assert agreement_of(explained(method, np.zeros_like(WEIGHTS), **METHODS_OF_CHANCE[method])) is None


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("hsic", {"cells": 8, "masks": 8}),
        ("sobol", {"cells": 8, "designs": 4}),
        ("rise", {"cells": 8, "masks": 8}),
        ("kernel_shap", {"segmentation": "grid", "segments": 64, "samples": 64}),
    ],
)
def test_a_map_of_too_few_masks_is_noise_and_both_pictures_say_so(method: str, given: dict[str, Any]) -> None:
    """All 64 places have nearly the same weight, so what differs between them is chance."""
    output = explained(method, RNG.normal(1, 0.05, WEIGHTS.shape), **given)
    assert (agreement_of(output) or 0) < 0.5
    assert [each for each in output.warnings if "mostly noise" in each]
    assert [(each.part, each.remark, len(each.contrasts)) for each in maps_of(output)] == [
        (part, "mostly noise, drawn in few colours", 1) for part in ("overlay", "heatmap")
    ]


def maps_of(output: Output) -> list[MapsOnPhoto]:
    drawings = [each.drawing for each in output.artifacts if isinstance(each, Picture | PictureOfArrays)]
    return [each for each in drawings if isinstance(each, MapsOnPhoto)]


def test_the_halves_of_a_sobol_design_are_its_first_and_its_last_masks() -> None:
    """The first two designs are those of `test_the_estimator_worked_by_hand`, and in the other two only cell 1 matters."""
    a, c_1, c_2 = [1, 3, 0, 2], [1, 1, 2, 0], [4, 3, 0, 2]
    first, second = sobol.half_indices(np.array([*a, *c_1, *c_2], np.float64)[:, None], 4)
    np.testing.assert_allclose(first, [[0.5, 9 / 8]])
    np.testing.assert_allclose(second, [[1, 0]])  # the variance of 0 and 2 is 2, and (4 + 4) / (2 · 2 · 2) = 1


def test_the_halves_of_sampled_shapley_values_are_pairs_with_the_whole_and_the_empty_image() -> None:
    visible = kernel_shap.sampled(42, 5, seed=1)
    worth = np.array([1.0, 2, 3, 4, -5])
    for half in kernel_shap.half_values(visible, (visible @ worth)[:, None]):
        np.testing.assert_allclose(half, worth[None], atol=1e-9)
