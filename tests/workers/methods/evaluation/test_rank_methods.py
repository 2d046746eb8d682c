"""A ranking on a linear model, for which occlusion with windows of one pixel is the true map, and EigenCAM knows no class."""

from __future__ import annotations

import inspect
import json
from typing import Any

import numpy as np
import pytest

from rendering.photo import Photo, Placement
from schemas.errors import InvalidParameters, LimitExceeded, UnknownLayer
from schemas.limits import MethodLimits
from schemas.methods.evaluation.rank_methods import RankMethods
from schemas.methods.evaluation.rank_methods_facts import RankMethodsFacts
from tests.contract.cases import zoo_model
from tests.schemas.tiny import published
from tests.workers.methods.linear import LinearProbe, driven
from workers.contract.artifacts import Array, Document, Output, Picture
from workers.contract.inputs import Inputs, Prepared
from workers.contract.probe import Probe
from workers.methods.evaluation import rank_methods
from workers.methods.evaluation.counting_probe import CountingProbe

IDS = [f"img_{number:064x}" for number in range(3)]
TRUE = {"method": "occlusion", "options": {"window": 1, "baseline": "black"}, "name": "true"}
COARSE = {"method": "occlusion", "options": {"window": [1, 3], "baseline": "black"}, "name": "coarse"}
# the first map is exact, the second blurs three pixels into one
LINEAR = np.array([[3, -1, 2, 0.5, -2, 1]]).reshape(1, 1, 6, 1)


def prepared(count: int) -> tuple[Prepared, ...]:
    rows = np.random.default_rng(1).uniform(1, 5, (count, 1, 6, 1)).astype(np.float32)
    photo = Photo(np.random.default_rng(0).integers(0, 256, (3, 12, 3), np.uint8), Placement((1, 6), (0, 0, 1, 6), (0, 0, 3, 12)))
    return tuple(Prepared(photo, row) for row in rows)


def ranked(count: int = 3, masks: dict[str, Prepared] | None = None, **changes: Any) -> Output:
    probe = LinearProbe(LINEAR)
    given = {"images": IDS[:count], "methods": [COARSE, TRUE], "measures": ["deletion"], "score": "logit", "class_index": 0, **changes}
    params = RankMethods.model_validate(given).resolve(probe.published, MethodLimits())
    assert params.resolve(probe.published, MethodLimits()) == params
    inputs = Inputs(np.zeros((0, 1, 6, 1), np.float32), None, prepared(count), region_masks=masks or {})
    slices, result = driven(rank_methods.run(probe, inputs, params))
    steps = [each.step for each in slices]
    assert steps == sorted(steps)
    assert steps[-1] == slices[-1].total
    return rank_methods.draw(result, None, params)


def facts(output: Output) -> RankMethodsFacts:
    assert isinstance(output.facts, RankMethodsFacts)
    return output.facts


def test_the_true_map_of_a_linear_model_is_the_first() -> None:
    output = ranked()
    found = facts(output)
    assert [each.name for each in found.methods] == ["true", "coarse"]
    best = found.methods[0]
    assert best.mean_rank == 1
    assert best.as_good_as_best is True
    assert best.measures[0].mean == pytest.approx(np.mean([each.measures[0].value for each in best.photos]))
    assert (best.forward_passes, best.gradient_passes) == (3 * (1 + 6), 0)  # the whole image and six windows, for three photos
    assert found.forward_passes > 3 * 2 * 21  # the curves
    (ranks,) = (each.array for each in output.artifacts if isinstance(each, Array))
    np.testing.assert_array_equal(ranks, np.tile([[[2.0], [1.0]]], (3, 1, 1)))  # in the order of the request
    (document,) = (each for each in output.artifacts if isinstance(each, Document))
    assert RankMethodsFacts.model_validate(json.loads(document.text)) == found
    assert any(isinstance(each, Picture) and each.primary for each in output.artifacts)


def test_equal_maps_are_tied_and_a_warning_says_so() -> None:
    output = ranked(methods=[TRUE, {**TRUE, "name": "again"}])
    assert {each.mean_rank for each in facts(output).methods} == {1.5}
    assert any(warning == "These methods have the same mean rank as true: again." for warning in output.warnings)


def test_one_photo_says_nothing_of_chance() -> None:
    output = ranked(1)
    assert [(each.interval, each.as_good_as_best) for each in facts(output).methods] == [(None, None)] * 2
    assert any("One photo says nothing about chance" in warning for warning in output.warnings)


def test_each_photo_has_its_own_box() -> None:
    boxes = [{"box": [0, 2 * place, 3, 2]} for place in (0, 2, 1)]
    found = facts(ranked(measures=["relevance_mass"], regions=boxes))
    assert found.methods[0].name == "true"
    values = [each.measures[0].value for each in found.methods[0].photos]
    shares = []
    for each, place in zip(prepared(3), (0, 2, 1), strict=True):
        positive = np.maximum(each.tensor.ravel() * LINEAR.ravel(), 0)
        shares.append(positive[place] / positive.sum())
    assert values == pytest.approx(shares, rel=1e-4)


def test_a_photo_may_have_a_mask_in_place_of_a_box() -> None:
    """The mask is not a box: it covers the columns 0-3 and 8-9 of the photo, which lie under the pixels 0, 1 and 4 of the input."""
    mask = np.zeros((3, 12, 3), np.uint8)
    mask[:, [0, 1, 2, 3, 8, 9]] = 255
    (first, second) = prepared(2)
    masks = {IDS[2]: Prepared(Photo(mask, first.photo.placement), first.tensor)}
    ranking = facts(ranked(2, masks, measures=["relevance_mass"], regions=[{"mask": IDS[2]}, {"box": [0, 4, 3, 2]}]))
    (found,) = (each for each in ranking.methods if each.name == "true")
    shares = []
    for each, places in ((first, [0, 1, 4]), (second, [2])):
        positive = np.maximum(each.tensor.ravel() * LINEAR.ravel(), 0)
        shares.append(positive[places].sum() / positive.sum())
    assert [each.measures[0].value for each in found.photos] == pytest.approx(shares, rel=1e-4)


def test_a_mask_has_the_size_of_its_photo() -> None:
    each = prepared(1)[0]
    wrong = {IDS[2]: Prepared(Photo(np.full((3, 11, 3), 255, np.uint8), each.photo.placement), each.tensor)}
    with pytest.raises(InvalidParameters, match="11×3 pixels") as refused:
        ranked(2, wrong, measures=["relevance_mass"], regions=[{"box": [0, 0, 3, 4]}, {"mask": IDS[2]}])
    assert refused.value.pointer == "/params/regions/1"


def test_all_maps_explain_another_target() -> None:
    probe, model = zoo_model("functional")
    target = {"difference": {"of": 1, "from": [0]}}
    given = {"images": IDS[:2], "methods": ["grad_cam", "saliency"], "measures": ["sparseness"], "target": target}
    params = RankMethods.model_validate(given).resolve(model, MethodLimits())
    tensors = np.random.default_rng(1).uniform(-1, 1, (2, 13, 9, 3)).astype(np.float32)
    photo = Photo(np.zeros((13, 9, 3), np.uint8), Placement((13, 9), (0, 0, 13, 9), (0, 0, 13, 9)))
    several = tuple(Prepared(photo, tensor) for tensor in tensors)
    _, result = driven(rank_methods.run(probe, Inputs(tensors[:0], None, several), params))
    probabilities = probe.forward(tensors, scores=True).probabilities
    assert probabilities is not None
    for method in facts(rank_methods.draw(result, None, params)).methods:
        values = [each.explained.logit for each in method.photos]
        np.testing.assert_allclose(values, probabilities[:, 1] - probabilities[:, 0], rtol=1e-4)
        assert all("−" in (each.explained.label or "") for each in method.photos)


@pytest.mark.parametrize(
    ("given", "error", "pointer"),
    [
        ({"methods": ["grad_cam", "predict"]}, InvalidParameters, "/params/methods/1/method"),
        (
            {"methods": ["saliency", {"method": "grad_cam", "options": {"layer": "nowhere"}}]},
            UnknownLayer,
            "/params/methods/1/options/layer",
        ),
        ({"measures": ["pointing_game"]}, InvalidParameters, "/params/regions"),
        ({"measures": ["pointing_game"], "regions": [{"box": [0, 0, 1, 1]}]}, InvalidParameters, "/params/regions"),
        ({"target": {"similarity": {"image": IDS[0]}}}, InvalidParameters, "/params/target"),
        ({"methods": ["grad_cam", {"method": "rise", "options": {"masks": 8000}}]}, LimitExceeded, "/params/methods"),
    ],
)
def test_wrong_parameters_are_refused(given: dict[str, Any], error: type[Exception], pointer: str) -> None:
    params = RankMethods.model_validate({"images": IDS[:2], "methods": ["grad_cam", "saliency"], **given})
    with pytest.raises(error) as refused:
        params.resolve(published(), MethodLimits())
    assert refused.value.pointer == pointer  # type: ignore[attr-defined]


def test_names_differ_and_images_stand_there_once() -> None:
    for wrong, words in (
        ({"methods": ["grad_cam", "grad_cam"]}, "have the name grad_cam"),
        ({"images": IDS[:1] * 2}, "may stand here once"),
    ):
        with pytest.raises(ValueError, match=words):
            RankMethods.model_validate({"images": IDS[:2], "methods": ["grad_cam", "saliency"], **wrong})


def test_a_probe_that_counts_has_every_question_of_a_probe() -> None:
    """An unknown question would be answered with None, because `Probe` is a protocol."""
    questions = {name for name in dir(Probe) if not name.startswith("_")}
    assert questions == {name for name in vars(CountingProbe) if not name.startswith("_")}
    for name in questions:
        own, asked = getattr(CountingProbe, name), getattr(Probe, name)
        if callable(asked):
            assert list(inspect.signature(own).parameters) == list(inspect.signature(asked).parameters), name
