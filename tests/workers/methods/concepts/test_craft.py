"""Concepts of photos whose activations and class scores are known. The model and the photos are those of `test_dff`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering.photo import Photo, Placement
from schemas.errors import InvalidParameters, LimitExceeded, VisualizationError
from schemas.limits import MethodLimits
from schemas.methods.concepts.craft import Craft, CraftFacts
from tests.contract.cases import examined_model
from tests.words_drawn import words_drawn
from tests.workers.methods.concepts.test_dff import IDS, arrays, model, photo_of
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs, Prepared
from workers.engine.probe import KerasProbe
from workers.methods.concepts import craft
from workers.methods.concepts.nmf import project
from workers.methods.concepts.photo_crops import crops_of, enlarged
from workers.methods.perturbation.sobol import replicated_points, total_indices


@pytest.fixture(scope="module")
def probe() -> KerasProbe:
    return examined_model("colours", model())[0]


def concepts(probe: KerasProbe, several: list[Prepared], **given: Any) -> Output:
    asked = {"images": IDS[: len(several)], "concepts": 3, "crop": 0.5, "designs": 64, **given}
    params = Craft.model_validate(asked).resolve(probe.published, MethodLimits())
    slices, last = craft.run(probe, Inputs(np.zeros((0, 8, 12, 3), np.float32), several=tuple(several)), params), 0
    while True:
        try:
            made = next(slices)
        except StopIteration as stop:
            assert last == made.total
            return craft.draw(stop.value, None, params)
        assert last <= made.step <= made.total
        last = made.step


def facts(output: Output) -> CraftFacts:
    assert isinstance(output.facts, CraftFacts)
    return output.facts


def test_the_concept_of_the_class_has_all_of_the_importance(probe: KerasProbe) -> None:
    """The logit of class 1 is 5 times the mean of the red channel alone, so only the concept red can change it: its index is that of
    one variable, 1, and those of green and blue are 0. A crop of one colour has only this colour."""
    output = concepts(probe, [photo_of(probe, "red", "green", "blue"), photo_of(probe, "red", "blue")], class_index=1)
    found, values = facts(output), arrays(output)
    assert values["vectors"][0].argmax() == 0
    np.testing.assert_allclose(values["vectors"][0], [1, 0, 0], atol=0.05)
    # Jansen's estimate, for masks in which only the first variable counts
    points = replicated_points(64, 3, 0)
    exact = total_indices(points[:, :1].astype(np.float64), 64)[0]
    assert found.concepts[0].importance == pytest.approx(max(exact), rel=0.15)
    assert found.concepts[1].importance < 0.05
    assert (found.class_index, found.masks) == (1, 2 * 64 * 4)
    assert values["importances"].shape == (2, 3)
    for crop in found.concepts[0].crops[:2]:
        assert crop.box[1] < 4  # the red stripe is on the left of both photos
    np.testing.assert_allclose(values["maps.1"][0][:, [0, 5]], np.repeat([[1, 0]], 4, axis=0), atol=0.05)


def test_a_class_is_that_of_most_photos(probe: KerasProbe) -> None:
    """The classes of red, green and blue are 1, 2 and 3."""
    output = concepts(probe, [photo_of(probe, "red", "red"), photo_of(probe, "green", "black"), photo_of(probe, "green", "blue", "green")])
    assert (facts(output).class_index, facts(output).images_of_class) == (2, 2)
    assert output.warnings[0] == (
        "Class 2 is not the model's top class for 1 of 3 photos: photo 0 is class 1. Their crops shape the concepts, too."
    )


def test_crops_overlap_by_a_fifth_and_lie_on_the_photo() -> None:
    """An input of 20 × 30 has crops of 10, which is half of the shorter side, every 8 pixels. The photo is twice as large and fills the
    right 20 columns, so a crop that ends at column 10 shows nothing of it."""
    photo = Photo(np.zeros((40, 40, 3), np.uint8), Placement((20, 30), (0, 10, 20, 20), (0, 0, 40, 40)))
    tensor = np.random.default_rng(0).normal(size=(20, 30, 5)).astype(np.float32)
    found = list(crops_of([Prepared(photo, tensor)], 0.5))
    assert [each.corner for each in found] == [(top, left) for top in (0, 8) for left in (8, 16)]
    assert [each.box for each in found] == [(0, 0, 20, 16), (0, 12, 20, 20), (16, 0, 20, 16), (16, 12, 20, 20)]
    large = enlarged(found[1], Prepared(photo, tensor)).tensor
    assert large.shape == tensor.shape
    flat = enlarged(found[1], Prepared(photo, np.ones((20, 30, 5), np.float32) * np.arange(5, dtype=np.float32))).tensor
    np.testing.assert_allclose(flat, np.broadcast_to(np.arange(5), (20, 30, 5)), atol=1e-5)


def test_projection_is_the_best_non_negative_fit_by_hand() -> None:
    """For H = ((1, 0), (1, 1)), the row (2, 1) is 1 · H₀ + 1 · H₁. The row (0, 1) would need −1 of H₀, so it is ½ of H₁ alone."""
    fit = project(np.array([[2.0, 1], [0, 1]]), np.array([[1.0, 0], [1, 1]]), tolerance=1e-12)
    np.testing.assert_allclose(fit, [[1, 1], [0, 0.5]], atol=1e-6)


def test_an_altered_activation_is_a_sum_of_weighted_concepts() -> None:
    parts, vectors = np.array([[1, 2]], np.float32), np.array([[1, 0, 1], [0, 1, 1]], np.float32)
    np.testing.assert_allclose(craft.rebuilt(parts, vectors, np.array([[1, 0.5], [0, 1]], np.float32)), [[[1, 1, 2]], [[0, 2, 2]]])


@pytest.mark.parametrize(
    ("changes", "error", "pointer"),
    [
        ({"concepts": 4}, InvalidParameters, "/params/concepts"),
        ({"images": IDS, "designs": 256}, LimitExceeded, "/params/designs"),
        ({"class_index": 4}, VisualizationError, "/params/class_index"),
    ],
)
def test_what_does_not_fit_is_refused(probe: KerasProbe, changes: dict[str, Any], error: type[Exception], pointer: str) -> None:
    with pytest.raises(error) as refused:
        Craft.model_validate({"images": IDS[:1], "concepts": 3, **changes}).resolve(probe.published, MethodLimits())
    assert refused.value.pointer == pointer  # type: ignore[attr-defined]


def test_fewer_crops_than_concepts_are_refused(probe: KerasProbe) -> None:
    with pytest.raises(InvalidParameters, match="There are 2 crops of this photo, so there can be at most 2 concepts, got 3"):
        concepts(probe, [photo_of(probe, "red", "blue")], crop=0.9)


def test_a_crop_of_the_whole_photo_allows_one_concept(probe: KerasProbe) -> None:
    with pytest.raises(InvalidParameters, match="There is 1 crop of this photo, so there can be at most 1 concept, got 3") as refused:
        concepts(probe, [photo_of(probe, "red")], crop=1)
    assert refused.value.pointer == "/params/concepts"


def test_a_dead_layer_has_no_concepts(probe: KerasProbe) -> None:
    output = concepts(probe, [photo_of(probe, "black"), photo_of(probe, "black")])
    assert output.warnings == (
        "Layer 'colour' has no activation above 0 in any crop of these 2 photos, so there are no concepts. Name another layer or other "
        "photos.",
        "No concept changes the class's logit.",
    )
    assert all(each.crops == () and each.importance == 0 for each in facts(output).concepts)


def test_one_photo_is_said_to_be_few(probe: KerasProbe) -> None:
    warnings = concepts(probe, [photo_of(probe, "red", "blue")], concepts=2).warnings
    assert "One photo only shows what its own crops have in common. Give more photos of the class to find its concepts." in warnings


def test_photos_of_other_classes_are_named(probe: KerasProbe) -> None:
    """Red is class 1 and green is class 2. Of seven photos, six are of another class than the one that is asked for."""
    several = [photo_of(probe, "green"), *(photo_of(probe, "red") for _ in range(6))]
    (warning,) = (each for each in concepts(probe, several, class_index=2, concepts=2).warnings if "top class" in each)
    assert warning == (
        "Class 2 is not the model's top class for 6 of 7 photos: photo 1 is class 1, photo 2 is class 1, photo 3 is class 1, photo 4 is "
        "class 1, photo 5 is class 1, and 1 more. Their crops shape the concepts, too."
    )


def test_photos_and_crops_are_called_by_their_names(probe: KerasProbe) -> None:
    several = [photo_of(probe, "red", "green", "blue"), photo_of(probe, "red", "blue")]
    for annotate in (True, False):
        with words_drawn() as words:
            concepts(probe, several, class_index=1, names={IDS[0]: "stripes.png"}, annotate=annotate)
        above = {word.split(" · ")[0] for word in words if word.startswith(("stripes", "photo"))}
        assert above == ({"stripes.png", "photo 1"} if annotate else {"photo 0", "photo 1"})
