"""Concepts in a layer whose channels are colours, for classes that each read one colour. Model and photos are those of `test_dff`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schemas.errors import InvalidParameters, LimitExceeded, UnsuitableLayer, VisualizationError
from schemas.limits import MethodLimits
from schemas.methods.concepts.tcav import Tcav
from schemas.methods.concepts.tcav_facts import TcavFacts
from tests.contract.cases import examined_model
from tests.workers.methods.concepts.test_dff import arrays, model, photo_of
from tests.workers.methods.linear import driven
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs, Prepared
from workers.engine.probe import KerasProbe
from workers.methods.concepts import tcav
from workers.methods.concepts.tcav_sheet import stars

Sets = dict[str, list[Prepared]]


@pytest.fixture(scope="module")
def probe() -> KerasProbe:
    return examined_model("colours", model())[0]


def asked(images: int, concepts: dict[str, int], random: dict[str, int], **given: Any) -> dict[str, Any]:
    """Return parameters with as many ids as the sets have photos."""
    ids = iter(f"img_{number:064x}" for number in range(10_000))
    named = {
        field: [{"name": name, "images": [next(ids) for _ in range(count)]} for name, count in sets.items()]
        for field, sets in (("concepts", concepts), ("random_sets", random))
    }
    return {"images": [next(ids) for _ in range(images)], **named, "layer": "colour", **given}


def output_of(probe: KerasProbe, several: list[Prepared], concepts: Sets, random: Sets, **given: Any) -> Output:
    counts = ({name: len(photos) for name, photos in sets.items()} for sets in (concepts, random))
    params = Tcav.model_validate(asked(len(several), *counts, **given)).resolve(probe.published, MethodLimits())
    sets = {name: tuple(map(tuple, given.values())) for name, given in (("concepts", concepts), ("random_sets", random))}
    inputs = Inputs(np.zeros((0, 8, 12, 3), np.float32), several=tuple(several), sets=sets)
    slices, result = driven(tcav.run(probe, inputs, params))
    assert [each.step for each in slices] == sorted(each.step for each in slices)
    assert slices[-1].step == slices[-1].total
    return tcav.draw(result, None, params)


def facts(output: Output) -> TcavFacts:
    assert isinstance(output.facts, TcavFacts)
    return output.facts


def same(probe: KerasProbe, count: int, *stripes: str) -> list[Prepared]:
    return [photo_of(probe, *stripes) for _ in range(count)]


@pytest.mark.parametrize(("pool", "derivative"), [("mean", 5.0), ("none", 5 / np.sqrt(24))])
def test_the_concept_of_a_class_is_its_direction(probe: KerasProbe, pool: str, derivative: float) -> None:
    """Red photos have 1 in the channel red at all 24 cells, and black ones have 0 everywhere, so the vector is red alone.

    The logit of class 1 is 5 times the mean of red, and those of the other classes do not read red. A step of length 1 in the channel red
    at all cells changes logit 1 by 5. A step of length 1 in the whole layer changes each cell by 1/√24, and the mean as much.
    """
    several, sets = same(probe, 3, "red", "green"), {"red": same(probe, 3, "red")}
    random = {"black": same(probe, 2, "black")}
    found = facts(output := output_of(probe, several, sets, random, class_index=1, pool=pool))
    values = arrays(output)
    np.testing.assert_allclose(values["derivatives"], np.full((1, 1, 3), derivative), rtol=1e-5)
    np.testing.assert_allclose(values["vectors"].reshape(-1, 3)[0], [derivative / 5, 0, 0], atol=1e-6)
    assert values["vectors"].shape == ((1, 3) if pool == "mean" else (1, 4, 6, 3))
    (score,) = found.concepts
    assert (score.name, score.images, score.score, score.accuracy, score.derivative) == ("red", 3, 1, 1, pytest.approx(derivative))
    assert (found.class_index, found.pool, found.images_of_class) == (1, pool, 3)
    other = facts(output_of(probe, several, sets, random, class_index=2, pool=pool))
    assert other.concepts[0].score == 0  # a derivative of 0 is not above 0
    assert other.images_of_class == 0


def test_three_random_sets_tell_a_concept_from_chance(probe: KerasProbe) -> None:
    """Class 1 reads red alone. Each random set has photos with other shares of green and blue and a little red, in turns more and less, so
    the scores of random sets are 0 or 1 by chance, and those of red are always 1."""
    rng = np.random.default_rng(0)
    shades = rng.choice(["green", "blue", "black", "red"], (8, 4, 6)).tolist()
    random = {f"random {number}": [photo_of(probe, *stripes) for stripes in each] for number, each in enumerate(shades)}
    concepts = {"red": same(probe, 4, "red"), "green": same(probe, 4, "green")}
    found = facts(output := output_of(probe, same(probe, 5, "red", "blue"), concepts, random, pool="mean"))
    red, green = found.concepts
    assert found.class_index == 1  # it is the top class of photos that are half red
    assert red.scores == (1,) * 8
    assert green.score < 0.2  # random photos have some red, and green ones have none
    assert found.random is not None
    assert len(found.random.scores) == 8
    assert set(found.random.scores) == {0, 1}
    assert red.p_value is not None
    assert red.corrected_p_value == pytest.approx(2 * red.p_value)
    assert red.significant == (red.corrected_p_value < 0.05)
    assert arrays(output)["scores"].shape == (2, 8)
    assert arrays(output)["random_scores"].tolist() == list(found.random.scores)


def test_random_sets_are_told_in_a_ring() -> None:
    assert tcav.random_pairs(4) == [(0, 1), (1, 2), (2, 3), (3, 0)]
    assert tcav.random_pairs(2) == tcav.random_pairs(1) == []


def test_stars_say_how_sure_a_score_is() -> None:
    assert [stars(each) for each in (None, 0.05, 0.049, 0.0099, 0.0001)] == ["", "", "*", "**", "***"]


def test_warnings_say_what_a_score_cannot_mean(probe: KerasProbe) -> None:
    several, concept = same(probe, 1, "red"), {"red": same(probe, 2, "red")}
    output = output_of(probe, several, concept, {"a": same(probe, 2, "blue"), "b": same(probe, 2, "blue")}, class_index=3)
    assert facts(output).random is None
    assert output.warnings == (
        "There are 2 random sets, so no score can be told from chance. A test needs at least 3 random sets, and 10 or more are better.",
        "Class 3 is not the model's top class for 1 of the 1 photos.",
    )
    unlike = {"red": same(probe, 2, "blue")}
    output = output_of(probe, several, unlike, {each: same(probe, 2, "blue") for each in "abc"}, class_index=1)
    assert facts(output).concepts[0].accuracy == 0.5
    assert facts(output).concepts[0].p_value is None
    assert output.warnings == (
        "Neither these concepts' scores nor the random ones vary, so there is no p-value: red.",
        "The derivatives are zero for all photos: the class's logit does not change with layer 'colour' there.",
    )


REFUSED: list[tuple[dict[str, Any], dict[str, Any], type[VisualizationError], str]] = [
    ({"concepts": {"red": 1}}, {}, InvalidParameters, "/params/concepts/0"),
    ({"random": {"a": 2, "b": 1}}, {}, InvalidParameters, "/params/random_sets/1"),
    ({"images": 253}, {}, LimitExceeded, "/params/images"),
    ({}, {"class_index": 4}, VisualizationError, "/params/class_index"),
    ({}, {"layer": "classes", "class_index": 9}, VisualizationError, "/params/class_index"),
    ({}, {"layer": "nothing"}, VisualizationError, "/params/layer"),
]


@pytest.mark.parametrize(("counts", "given", "error", "pointer"), REFUSED)
def test_what_does_not_fit_is_refused(
    probe: KerasProbe, counts: dict[str, Any], given: dict[str, Any], error: type[VisualizationError], pointer: str
) -> None:
    params = Tcav.model_validate(asked(**{"images": 1, "concepts": {"red": 2}, "random": {"a": 2}, **counts}, **given))
    with pytest.raises(error) as refused:
        params.resolve(probe.published, MethodLimits())
    assert refused.value.pointer == pointer


def test_activations_that_fill_the_memory_are_refused(probe: KerasProbe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four photos of 4 × 6 × 3 values in float32 have 1,152 bytes. With `pool` mean, they have 48."""
    monkeypatch.setattr("schemas.methods.concepts.tcav.MOST_BYTES", 1151)
    given = asked(1, {"red": 2}, {"a": 2})
    with pytest.raises(LimitExceeded, match=r"has 72 values.*Set `pool` to mean"):
        Tcav.model_validate(given).resolve(probe.published, MethodLimits())
    assert Tcav.model_validate({**given, "pool": "mean"}).resolve(probe.published, MethodLimits()).layer == "colour"


def test_a_layer_of_a_free_size_is_averaged() -> None:
    free = examined_model("free", model())[0].published
    layer = free.description.layer_at("colour").model_copy(update={"output_shape": (None, None, 3)})
    others = tuple(layer if each.path == "colour" else each for each in free.description.layers)
    free = free.model_copy(update={"description": free.description.model_copy(update={"layers": others})})
    given = asked(1, {"red": 2}, {"a": 2})
    assert Tcav.model_validate(given).resolve(free, MethodLimits()).pool == "mean"
    with pytest.raises(UnsuitableLayer, match="depends on the photo"):
        Tcav.model_validate({**given, "pool": "none"}).resolve(free, MethodLimits())
