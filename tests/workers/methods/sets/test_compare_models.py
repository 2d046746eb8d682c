"""Two models whose logits are worked by hand: the second has the first one's classes in another order, or weights of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering import colormaps
from rendering.charts.tile_with_scale import picture_left, tile_size
from rendering.patch_rows import GAP
from schemas.errors import InvalidParameters, LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.sets.compare_models import CompareModels
from schemas.methods.sets.compare_models_facts import CompareModelsFacts
from tests.workers.methods.support import LABELS, FormulaProbe, batch, photo_of, published
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import FurtherModel, Inputs, Prepared
from workers.methods.sets import compare_models
from workers.methods.sets.compared_models_sheet import BOX, rank_of

IDS = tuple(f"img_{number:064x}" for number in range(3))


class NamedProbe(FormulaProbe):
    """The formula under a name, with its own labels, and with its classes in the order `order`."""

    def __init__(self, name: str, labels: tuple[str, ...], order: tuple[int, ...] = (0, 1, 2), sign: int = 1) -> None:
        model = published(labels)
        super().__init__(model.model_copy(update={"description": model.description.model_copy(update={"name": name})}))
        self.WEIGHTS = sign * FormulaProbe.WEIGHTS[list(order)]


FIRST = NamedProbe("first", LABELS)
SHUFFLED = NamedProbe("second", (LABELS[2], LABELS[0], LABELS[1]), (2, 0, 1))
OTHER_LABELS = NamedProbe("second", ("a", "b", "c"))


def compared(second: FormulaProbe, **changes: Any) -> Output:
    several = tuple(Prepared(photo_of(seed=number), tensor) for number, tensor in enumerate(batch(3)))
    options = {"images": IDS, "models": ["second"], "attribution": "occlusion", "options": {"window": 1, "stride": 1}, **changes}
    params = CompareModels.model_validate(options).resolve(FIRST.published, MethodLimits())
    params = params.resolve_further([second.published], MethodLimits())
    inputs = Inputs(np.zeros((0, 4, 6, 3), np.float32), None, several, further=(FurtherModel(second, several),))
    slices = compare_models.run(FIRST, inputs, params)
    while True:
        try:
            made = next(slices)
        except StopIteration as stop:
            assert made.step == made.total
            return compare_models.draw(stop.value, None, params)


def facts(output: Output) -> CompareModelsFacts:
    assert isinstance(output.facts, CompareModelsFacts)
    return output.facts


def maps(output: Output) -> dict[str, np.ndarray]:
    return {each.name: each.array for each in output.artifacts if isinstance(each, Array)}


def test_the_same_model_with_its_classes_in_another_order_agrees_in_everything() -> None:
    output = compared(SHUFFLED)
    (pair,) = facts(output).pairs
    assert (pair.first, pair.second, pair.matched_by, pair.matched_classes, pair.same_top_class) == ("first", "second", "label", 3, 1)
    assert pair.rank_correlations == pytest.approx([1, 1, 1])
    assert pair.mean_rank_correlation == pytest.approx(1)
    for number, image in enumerate(facts(output).images):
        one, other = image.answers
        assert image.image == IDS[number]
        assert one.top.label == other.top.label
        assert one.top.class_index != other.top.class_index
        assert (one.ranks, other.ranks, other.own_class) == ((1, 1), (1, 1), False)
        np.testing.assert_allclose(maps(output)[f"map.first.{number}"], maps(output)[f"map.second.{number}"], rtol=1e-5)
    assert output.warnings == ()


def test_a_model_of_the_opposite_sign_disagrees_in_everything() -> None:
    output = compared(NamedProbe("second", LABELS, sign=-1))
    (pair,) = facts(output).pairs
    assert pair.same_top_class == 0
    assert pair.rank_correlations == pytest.approx([-1, -1, -1])
    for image in facts(output).images:
        one, other = image.answers
        assert (one.ranks, other.ranks) == ((1, 3), (3, 1))  # the best of one is the worst of the other
        assert one.explained.class_index == other.explained.class_index == one.top.class_index
        assert one.explained.logit == pytest.approx(-other.explained.logit)


def test_each_model_explains_its_own_class_if_it_is_asked_to_or_has_no_match() -> None:
    asked = facts(compared(NamedProbe("second", LABELS, sign=-1), explain="own"))
    assert all(each.own_class and each.explained == each.top for image in asked.images for each in image.answers)
    output = compared(OTHER_LABELS)
    (pair,) = facts(output).pairs
    assert (pair.matched_by, pair.matched_classes, pair.same_top_class) == (None, 0, None)
    assert [each.own_class for each in facts(output).images[0].answers] == [False, True]
    assert [each.ranks for each in facts(output).images[0].answers] == [(1, None), (None, 1)]
    assert output.warnings == (
        "Models 'first' and 'second' have no label in common.",
        "Model 'second' has no class that matches, so its map explains its own top class for these photos: 0, 1, 2.",
    )


def test_a_class_of_the_first_model_is_found_by_its_label_in_the_second() -> None:
    found = facts(compared(SHUFFLED, class_index="goldfish"))
    assert {(each.explained.class_index, each.explained.label) for image in found.images for each in image.answers} == {
        (1, "goldfish"),
        (2, "goldfish"),
    }


def test_a_rank_counts_the_classes_that_are_better() -> None:
    logits = np.array([0.5, 3, 2, 2], np.float32)
    assert [rank_of(logits, index) for index in range(4)] == [4, 1, 2, 2]


def test_the_sheet_has_a_chart_only_if_it_is_annotated() -> None:
    (full, bare) = (next(each for each in compared(SHUFFLED, annotate=a).artifacts if isinstance(each, Picture)) for a in (True, False))
    assert full.primary
    assert full.image.shape[0] > bare.image.shape[0]


def test_the_scale_of_its_colours_stands_beside_each_map_if_the_sheet_is_annotated() -> None:
    (full, bare) = (next(each for each in compared(SHUFFLED, annotate=a).artifacts if isinstance(each, Picture)) for a in (True, False))
    red, blue = (colormaps.table("signed")[end] for end in (255, 0))
    for number, count in ((0, 0), (1, 3), (2, 3)):  # the photos have none, and each model has one for each of the three photos
        first = number * (tile_size(BOX)[1] + GAP) + picture_left(scale=True) + BOX[1]
        beside = full.image[:, first : first + 20, :]
        assert [_runs((beside == end).all(-1).any(1)) for end in (red, blue)] == [count, count]
    assert bare.image.shape[1] == 3 * (BOX[1] + GAP) - GAP


def _runs(rows: np.ndarray) -> int:
    """Return the number of runs of true values."""
    return int(np.diff(rows.astype(int), prepend=0).clip(0).sum())


@pytest.mark.parametrize(
    ("changes", "error", "pointer"),
    [
        ({"models": ["formula"]}, InvalidParameters, "/params/models/0"),
        ({"models": ["a", "b", "c", "d"]}, LimitExceeded, "/params/models"),
        ({"images": [f"img_{number:064x}" for number in range(17)]}, LimitExceeded, "/params/images"),
        ({"class_index": 0, "explain": "own"}, InvalidParameters, "/params/class_index"),
        ({"options": [{}, {}, {}]}, InvalidParameters, "/params/options"),
        ({"attribution": "oclusion"}, InvalidParameters, "/params/attribution"),
        ({"attribution": "occlusion", "options": {"windw": 3}}, InvalidParameters, "/params/options/windw"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_place(changes: dict[str, Any], error: type[Exception], pointer: str) -> None:
    with pytest.raises(error) as refused:
        CompareModels.model_validate({"images": IDS, "models": ["second"], **changes}).resolve(published(), MethodLimits())
    assert refused.value.pointer == pointer  # type: ignore[attr-defined]


def test_options_for_the_job_itself_are_refused() -> None:
    with pytest.raises(ValueError, match="the job itself decides class_index"):
        CompareModels.model_validate({"images": IDS, "models": ["second"], "options": {"class_index": 3}})
