"""Measures of maps are compared with Quantus's.

These differences are known:
- Quantus draws one other class for random_logit, and we take the mean over several. The test makes the peer draw until it has drawn all.
- Quantus compares maps for random_logit by structural similarity unless asked, and we by Spearman's ρ as in the parameters of the test.
- Quantus adds 1e-7 to each value for sparseness, and 1e-12 to each share for complexity.
- Quantus sums what it is given for relevance mass. The paper takes the positive relevance alone, so the peer gets this.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest

from rendering.photo import Photo, Placement
from schemas.limits import MethodLimits
from schemas.methods.evaluation.map_measures import MapMeasures
from tests.parity.peers import captum, quantus, torch
from tests.parity.twins import CLASSES, SIZE, finished, photos, twins
from workers.contract.inputs import Inputs, Prepared
from workers.methods import implementation
from workers.methods.evaluation.map_measures import MapMeasuresResult

QUIET = {"disable_warnings": True, "normalise": False}
WITH_REGION = ("pointing_game", "relevance_mass", "relevance_rank")
EVERY_OTHER_CLASS = 4
MASK_ID = "img_" + "a" * 64


@cache
def regions() -> np.ndarray:
    """Return one region for each photo, (3, 13, 18) bool: half the pixels at random, a disc, and a bar that no strongest pixel is in."""
    rows, columns = np.indices(SIZE)
    scattered = np.random.default_rng(5).random(SIZE) < 0.5
    disc = (rows - 5) ** 2 + (columns - 8) ** 2 < 20
    return np.stack([scattered, disc, columns == 0])


@cache
def measured() -> tuple[MapMeasuresResult, ...]:
    """Return what `map_measures` finds for the map of gradient × input of each photo."""
    found: list[MapMeasuresResult] = []
    for photo, region, target in zip(photos(), regions(), CLASSES, strict=True):
        params = MapMeasures(
            class_index=target,
            attribution="grad_x_input",
            measures=("sparseness", "complexity", "random_logit", *WITH_REGION),
            region={"mask": MASK_ID},
            other_classes=EVERY_OTHER_CLASS,
        ).resolve(twins().probe.published, MethodLimits())
        placement = Placement(SIZE, (0, 0, *SIZE), (0, 0, *SIZE))
        seen = Photo(np.zeros((*SIZE, 3), np.uint8), placement)
        mask = Prepared(Photo(np.repeat(region[..., None], 3, axis=2).astype(np.uint8) * 255, placement), photo)
        run = implementation("map_measures").run
        found.append(finished(run(twins().probe, Inputs(photo[None], seen.image, photos=(seen,), region_masks={MASK_ID: mask}), params)))
    return tuple(found)


def ours(measure: Any) -> list[float | None]:
    return [each.found[measure].value for each in measured()]


def maps() -> np.ndarray:
    """Return the measured maps as the peer takes them, (3, 1, 13, 18)."""
    return np.stack([each.tested.over_input for each in measured()])[:, None]


def theirs(metric: Any, attributions: np.ndarray, **given: Any) -> list[float]:
    x = np.moveaxis(photos(), -1, 1)
    return list(metric(model=twins().torch, x_batch=x, y_batch=np.array(CLASSES), a_batch=attributions.copy(), **given))


def test_sparseness() -> None:
    assert ours("sparseness") == pytest.approx(theirs(quantus.Sparseness(abs=True, **QUIET), maps()), rel=1e-5)


def test_complexity() -> None:
    assert ours("complexity") == pytest.approx(theirs(quantus.Complexity(abs=True, **QUIET), maps()), rel=1e-5)


def test_pointing_game() -> None:
    expected = theirs(quantus.PointingGame(abs=False, **QUIET), maps(), s_batch=regions()[:, None])
    assert set(expected) == {0, 1}
    assert ours("pointing_game") == expected


def test_relevance_mass() -> None:
    positive = np.maximum(maps(), 0)
    expected = theirs(quantus.RelevanceMassAccuracy(abs=False, **QUIET), positive, s_batch=regions()[:, None])
    assert ours("relevance_mass") == pytest.approx(expected, rel=1e-5)


def test_relevance_rank() -> None:
    expected = theirs(quantus.RelevanceRankAccuracy(abs=False, **QUIET), maps(), s_batch=regions()[:, None])
    assert len(set(expected)) == 3
    assert ours("relevance_rank") == pytest.approx(expected)


def test_random_logit() -> None:
    """Each draw of the peer gives one other class to each photo. Captum makes the peer's maps."""
    found: list[dict[int, float]] = [{} for _ in CLASSES]
    asked: list[np.ndarray] = []

    def explained(model: Any, inputs: np.ndarray, targets: np.ndarray, **_: Any) -> np.ndarray:
        asked.append(targets)
        tensor = torch.from_numpy(inputs).requires_grad_()
        attributions = captum.InputXGradient(model).attribute(tensor, target=torch.from_numpy(targets))
        return attributions.sum(dim=1, keepdim=True).detach().numpy()

    for seed in range(200):
        metric = quantus.RandomLogit(num_classes=5, seed=seed, similarity_func=quantus.similarity_func.correlation_spearman, **QUIET)
        scores = theirs(metric, maps(), explain_func=explained)
        for by_class, target, score in zip(found, asked[-1].tolist(), scores, strict=True):
            by_class[target] = score
        if all(len(each) == EVERY_OTHER_CLASS for each in found):
            break
    assert [sorted(each) for each in found] == [[other for other in range(5) if other != own] for own in CLASSES]
    assert ours("random_logit") == pytest.approx([np.mean(list(each.values())) for each in found], rel=1e-5)
