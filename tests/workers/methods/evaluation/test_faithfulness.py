"""Faithfulness of an attribution: curves, masked scores and randomised weights by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from rendering.photo import Photo, Placement
from schemas.limits import MethodLimits
from schemas.methods.evaluation.faithfulness import Faithfulness
from schemas.methods.evaluation.faithfulness_facts import FaithfulnessFacts
from schemas.methods.evaluation.judged_map import attribution_methods
from schemas.models import Layer, LayerKind
from tests.drawn import drawn
from tests.schemas.tiny import layer
from tests.workers.methods.linear import LinearProbe, driven
from tests.workers.methods.support import photo_of
from workers.contract.artifacts import Array, Picture
from workers.contract.inputs import Inputs
from workers.methods.evaluation import faithfulness, pixel_curves

ROW = np.array([2, 4, 1, 3], np.float32).reshape(1, 1, 4, 1)


PHOTO = Photo(np.random.default_rng(0).integers(0, 256, (3, 8, 3), np.uint8), Placement((1, 4), (0, 0, 1, 4), (0, 0, 3, 8)))


def weighted(path: str, kind: LayerKind = LayerKind.CONV, parameters: int = 9) -> Layer:
    return layer(path, kind, (1, 4, 1), ()).model_copy(update={"parameters": parameters})


class RandomProbe(LinearProbe):
    """A linear model. If `top` is randomised, its weights change their sign; if `stem` is randomised, they become 0."""

    LAYERS = (
        weighted("input", LayerKind.INPUT, 0),
        weighted("stem"),
        weighted("norm", LayerKind.NORMALIZATION),
        weighted("base", LayerKind.MODEL),
        weighted("middle"),
        weighted("relu", LayerKind.ACTIVATION, 0),
        weighted("top", LayerKind.DENSE),
    )

    def __init__(self, linear: np.ndarray) -> None:
        super().__init__(linear)
        description = self._published.description.model_copy(update={"layers": self.LAYERS})
        self._published = self._published.model_copy(update={"description": description})
        self.drawn: list[tuple[tuple[str, ...], int]] = []

    def randomised(self, layers: Sequence[str], seed: int) -> RandomProbe:
        self.drawn.append((tuple(layers), seed))
        return RandomProbe(self.linear * (0 if "stem" in layers else -1))


def tried(probe: LinearProbe, image: np.ndarray, **changes: Any) -> tuple[faithfulness.FaithfulnessResult, Faithfulness]:
    """Test an occlusion map with windows of one pixel on black, which shows each pixel's own share in the logit."""
    params = Faithfulness.model_validate(
        {
            "attribution": "occlusion",
            "options": {"window": 1, "baseline": "black"},
            "score": "logit",
            "deletion": "black",
            "insertion": "black",
            "class_index": 0,
            "steps": 4,
            **changes,
        }
    ).resolve(probe.published, MethodLimits())
    return driven(faithfulness.run(probe, Inputs(image), params))[1], params


def facts_of(trial: faithfulness.FaithfulnessResult, params: Faithfulness) -> FaithfulnessFacts:
    facts = faithfulness.draw(trial, PHOTO, params).facts
    assert isinstance(facts, FaithfulnessFacts)
    return facts


def test_a_linear_model_by_hand() -> None:
    trial, params = tried(LinearProbe(np.ones((1, 1, 4, 1))), ROW)
    np.testing.assert_array_equal(trial.map, [[2, 4, 1, 3]])
    np.testing.assert_array_equal(trial.shares, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_array_equal(trial.deletion, [10, 6, 3, 1, 0])
    np.testing.assert_array_equal(trial.insertion, [0, 4, 7, 9, 10])
    facts = facts_of(trial, params)
    # the trapezoid rule gives (10/2 + 6 + 3 + 1 + 0)/4 and (0 + 4 + 7 + 9 + 10/2)/4
    assert (facts.deletion_area, facts.insertion_area) == (3.75, 6.25)
    # each value v is multiplied by (v − 1)/3: 2·1/3 + 4·1 + 1·0 + 3·2/3
    assert facts.masked_score == pytest.approx(20 / 3)
    assert facts.drop == pytest.approx(1 / 3)
    assert not facts.increased
    assert (facts.attribution, facts.score, facts.class_index) == ("occlusion", "logit", 0)


def test_a_random_map_is_the_measure_of_the_map() -> None:
    """Four pixels are covered in the order of a random map, which the seed decides. On a linear model the true map is the best."""
    trial, params = tried(LinearProbe(np.ones((1, 1, 4, 1))), ROW)
    order = np.argsort(-pixel_curves.random_map((1, 4), params.seed)[0])
    left = 10 - np.cumsum([0, *np.array([2, 4, 1, 3])[order]])
    np.testing.assert_array_equal(trial.random_deletion, left)
    np.testing.assert_array_equal(trial.random_insertion, 10 - left)
    facts = facts_of(trial, params)
    assert facts.random_deletion_area == pytest.approx(np.trapezoid(left, dx=0.25))
    assert facts.deletion_area <= facts.random_deletion_area
    assert facts.insertion_area >= facts.random_insertion_area


def test_evidence_against_the_class_is_covered_last_and_not_shown() -> None:
    # the shares are 2, −4, 1, 3, so the order is 3, 2, 1, −4
    trial, params = tried(LinearProbe(np.array([1, -1, 1, 1]).reshape(1, 1, 4, 1)), ROW)
    np.testing.assert_array_equal(trial.map, [[2, -4, 1, 3]])
    np.testing.assert_array_equal(trial.deletion, [2, -1, -3, -4, 0])
    np.testing.assert_array_equal(trial.insertion, [0, 3, 5, 6, 2])
    facts = facts_of(trial, params)
    # each share is multiplied by relu(share)/3: 2·2/3 − 0 + 1·1/3 + 3·1
    assert facts.masked_score == pytest.approx(14 / 3)
    assert facts.increased
    assert facts.drop == 0


def test_steps_that_do_not_divide_the_pixels() -> None:
    trial, _ = tried(LinearProbe(np.ones((1, 1, 4, 1))), ROW, steps=3)
    # 0, 4/3, 8/3 and 4 pixels are rounded to 0, 1, 3 and 4
    np.testing.assert_array_equal(trial.shares, [0, 0.25, 0.75, 1])
    np.testing.assert_array_equal(trial.deletion, [10, 6, 1, 0])
    assert pixel_curves.area(trial.shares, trial.deletion) == pytest.approx(8 * 0.25 + 3.5 * 0.5 + 0.5 * 0.25)


def test_layers_are_randomised_from_the_output_down_and_one_at_a_time() -> None:
    probe = RandomProbe(np.ones((1, 1, 4, 1)))
    trial, params = tried(probe, ROW, randomisations=3, seed=8)
    # at each of the three layers with a kernel: all layers from the output down to it, and then this layer alone
    assert probe.drawn == [
        (("top",), 8),
        (("top",), 8),
        (("middle", "top"), 8),
        (("middle",), 8),
        (("stem", "norm", "middle", "top"), 8),
        (("stem",), 8),
    ]
    assert [(each.layers, each.layer, each.rank_correlation) for each in trial.cascading] == [
        (1, "top", pytest.approx(-1)),
        (2, "middle", pytest.approx(-1)),
        (4, "stem", None),
    ]
    assert [each.layer for each in trial.independent] == ["top", "middle", "stem"]
    output = faithfulness.draw(trial, PHOTO, params)
    assert "A map of the model with randomised weights is the same everywhere, so it has no rank correlation." in output.warnings


@pytest.mark.parametrize(("points", "starts"), [(0, []), (1, ["stem"]), (2, ["middle", "stem"]), (9, ["top", "middle", "stem"])])
def test_points_are_spread_over_the_layers_with_a_kernel(points: int, starts: list[str]) -> None:
    probe = RandomProbe(np.ones((1, 1, 4, 1)))
    found = Faithfulness(randomisations=points).randomised_layers(probe.published)
    assert [paths[0] for paths in found] == starts


def test_the_class_is_the_top_class_of_the_original_model() -> None:
    """The model with random weights has another top class."""
    linear = np.stack([np.ones((1, 4, 1)), np.full((1, 4, 1), 0.5), np.zeros((1, 4, 1))])
    trial, _ = tried(RandomProbe(linear), ROW, class_index=None, randomisations=2)
    assert trial.explained.class_index == 0
    assert trial.cascading[0].rank_correlation == pytest.approx(-1)


def test_progress_rises_to_the_total() -> None:
    probe = RandomProbe(np.ones((1, 1, 4, 1)))
    params = Faithfulness(attribution="occlusion", class_index=0, steps=4, randomisations=1).resolve(probe.published, MethodLimits())
    slices, _ = driven(faithfulness.run(probe, Inputs(ROW), params))
    steps = [each.step for each in slices]
    assert steps == sorted(steps)
    assert {each.total for each in slices} == {3 * 100 + 4 * 5 + 1}
    assert steps[-1] == slices[-1].total


def test_a_map_without_contrast_gives_a_warning_and_no_failure() -> None:
    trial, params = tried(LinearProbe(np.zeros((1, 1, 4, 1))), ROW)
    output = faithfulness.draw(trial, PHOTO, params)
    assert "The map is zero everywhere, so the order of its pixels is random and the curves say nothing about it." in output.warnings
    facts = facts_of(trial, params)
    assert (facts.deletion_area, facts.insertion_area, facts.drop) == (0, 0, None)


def test_the_overlay_is_the_methods_own_and_the_curves_are_an_array() -> None:
    trial, params = tried(LinearProbe(np.ones((1, 1, 4, 1))), ROW)
    output = drawn(faithfulness.draw(trial, PHOTO, params), PHOTO)
    by_name = {artifact.name: artifact for artifact in output.artifacts}
    own = faithfulness.implementation("occlusion").draw(trial.attribution, PHOTO, trial.params)
    (overlay,) = (artifact.image for artifact in own.artifacts if isinstance(artifact, Picture) and artifact.name == "overlay")
    shown, curves = by_name["overlay"], by_name["curves"]
    assert isinstance(shown, Picture)
    assert isinstance(curves, Array)
    np.testing.assert_array_equal(shown.image, overlay)
    np.testing.assert_array_equal(
        curves.array, [trial.shares, trial.deletion, trial.insertion, trial.random_deletion, trial.random_insertion]
    )


@pytest.mark.parametrize("method", attribution_methods())
def test_every_attribution_method_can_be_tested(method: str) -> None:
    """Run the method on a small Keras model, with randomised weights."""
    from tests.contract.cases import ATTENTION_METHODS, transformer, zoo_model

    probe, published = transformer() if method in ATTENTION_METHODS else zoo_model("functional")
    given = published.description.input
    size = (given.height or 0, given.width or 0)
    options = {name: value for name, value in attribution_methods()[method].card.example.items() if name != "class_index"}
    params = Faithfulness(attribution=method, options=options, steps=2, randomisations=1)
    resolved = params.resolve(published, MethodLimits())
    tensor = np.random.default_rng(1).uniform(-1, 1, (1, *size, 3)).astype(np.float32)
    trial = driven(faithfulness.run(probe, Inputs(tensor), resolved))[1]
    assert np.isfinite(trial.map).all()
    photo = photo_of(26, 18)
    facts = faithfulness.draw(trial, Photo(photo.image, Placement(size, (0, 0, *size), (0, 0, 26, 18))), resolved).facts
    assert isinstance(facts, FaithfulnessFacts)
    (all_random,) = facts.cascading
    assert all_random.layer == ("patches" if method in ATTENTION_METHODS else "conv1")
    assert all_random.rank_correlation is None or abs(all_random.rank_correlation) < 0.999
