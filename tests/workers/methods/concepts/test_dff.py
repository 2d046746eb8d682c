"""Parts of photos whose activations and classes are known: the layer has a channel for each colour, and each class reads one channel."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from rendering.photo import Photo
from schemas.errors import InvalidParameters, LimitExceeded, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.concepts.dff import Dff, DffFacts
from tests.contract.cases import examined_model
from tests.words_drawn import words_drawn
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs, Prepared
from workers.engine.probe import KerasProbe
from workers.methods.concepts import dff
from workers.models.preprocessing import prepare

IDS = tuple(f"img_{number:064x}" for number in range(17))
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "black": (0, 0, 0)}


def model(head: str = "average") -> keras.Model:
    """Return a model for 8 × 12 whose layer `colour` has the channels red, green and blue, a cell for 2 × 2 pixels, and 4 classes."""
    photo = keras.Input((8, 12, 3), name="photo")
    x = layers.Conv2D(3, 2, strides=2, activation="relu", name="colour")(photo)
    x = layers.GlobalAveragePooling2D(name="mean")(x) if head == "average" else layers.Flatten(name="flatten")(x)
    made = keras.Model(photo, layers.Dense(4, activation="softmax", name="classes")(x))
    made.get_layer("colour").set_weights([np.tile(np.eye(3) / 4, (2, 2, 1, 1)), np.zeros(3)])
    if head == "average":
        made.get_layer("classes").set_weights([np.eye(3, 4)[:, [3, 0, 1, 2]] * 5, np.zeros(4)])
    return made


@pytest.fixture(scope="module")
def probe() -> KerasProbe:
    return examined_model("colours", model())[0]


def photo_of(probe: KerasProbe, *stripes: str) -> Prepared:
    """Return a photo of 8 × 12 with stripes of equal width."""
    image = np.concatenate([np.full((8, 12 // len(stripes), 3), COLOURS[each], np.uint8) for each in stripes], axis=1)
    tensor, placement = prepare(image, probe.description.preprocessing, (8, 12), 3)
    return Prepared(Photo(image, placement), tensor)


def parts(probe: KerasProbe, several: list[Prepared], **given: Any) -> Output:
    params = Dff.model_validate({"images": IDS[: len(several)], **given}).resolve(probe.published, MethodLimits())
    slices, last = dff.run(probe, Inputs(np.zeros((0, 8, 12, 3), np.float32), several=tuple(several)), params), 0
    while True:
        try:
            made = next(slices)
        except StopIteration as stop:
            return dff.draw(stop.value, None, params)
        assert last <= made.step <= made.total
        last = made.step


def arrays(output: Output) -> dict[str, np.ndarray]:
    return {each.name: each.array for each in output.artifacts if isinstance(each, Array)}


def facts(output: Output) -> DffFacts:
    assert isinstance(output.facts, DffFacts)
    return output.facts


def test_colours_are_the_parts_with_their_classes(probe: KerasProbe) -> None:
    """With the preprocessing `tf`, a pixel is −1 to 1, so a cell of its own colour is 1 and the others are cut off at 0.

    Two photos have 24 cells each: red has 8 + 12 of them, blue 8, green 8 and 12 are black. The logit of a part's class is 5, and those
    of the other three classes are 0.
    """
    output = parts(probe, [photo_of(probe, "red", "green", "blue"), photo_of(probe, "black", "red")], parts=3, layer="colour", top=1)
    found, values = facts(output), arrays(output)
    assert [each.share for each in found.parts] == pytest.approx([20 / 36, 8 / 36, 8 / 36], abs=1e-3)
    assert found.relative_error == pytest.approx(0, abs=1e-3)
    assert found.labelled
    for part, vector in zip(found.parts, values["vectors"], strict=True):
        channel = int(vector.argmax())
        np.testing.assert_allclose(vector, np.eye(3)[channel], atol=2e-3)
        (scored,) = part.classes
        assert scored.class_index == (channel + 1) % 4
        assert scored.logit == pytest.approx(5, abs=0.02)
        assert scored.probability == pytest.approx(np.exp(5) / (np.exp(5) + 3), abs=1e-3)
        stripe = np.zeros((4, 6))
        stripe[:, 2 * channel : 2 * channel + 2] = 1
        np.testing.assert_allclose(values["maps.0"][part.number], stripe, atol=2e-3)
    assert found.parts[0].classes[0].class_index == 1
    np.testing.assert_allclose(values["maps.1"][0], np.repeat([[0, 0, 0, 1, 1, 1]], 4, axis=0), atol=2e-3)
    assert output.warnings == ()


def test_too_few_parts_leave_an_error(probe: KerasProbe) -> None:
    """One part of two colours, 16 cells of red and 8 of green, rebuilds the larger one: √(8 / 24) is left."""
    output = parts(probe, [photo_of(probe, "red", "red", "green")], parts=1, layer="colour", max_iterations=2000, tolerance=1e-9)
    assert facts(output).relative_error == pytest.approx((8 / 24) ** 0.5, abs=0.01)
    assert facts(output).relative_errors == (facts(output).relative_error,)


def test_a_head_that_knows_positions_gives_no_classes() -> None:
    probe = examined_model("flat", model("flatten"))[0]
    output = parts(probe, [photo_of(probe, "red", "green", "blue")], parts=2)
    assert not facts(output).labelled
    assert all(each.classes == () for each in facts(output).parts)
    assert "do not depend on the mean of layer 'colour'" in output.warnings[0]


def test_the_sheet_has_the_colours_where_the_parts_are(probe: KerasProbe) -> None:
    output = parts(probe, [photo_of(probe, "red", "green", "blue")], parts=3, annotate=False)
    sheet = next(each for each in output.artifacts if isinstance(each, Picture) and each.primary).image
    shown = {tuple(colour) for colour in sheet.reshape(-1, 3).tolist()}
    assert len(shown & {(230, 25, 75), (67, 99, 216), (60, 180, 75)}) == 3  # the squares of the legend


@pytest.mark.parametrize(
    ("changes", "error", "pointer"),
    [
        ({"parts": 4}, InvalidParameters, "/params/parts"),
        ({"images": IDS}, LimitExceeded, "/params/images"),
    ],
)
def test_what_does_not_fit_is_refused(probe: KerasProbe, changes: dict[str, Any], error: type[Exception], pointer: str) -> None:
    with pytest.raises(error) as refused:
        Dff.model_validate({"images": IDS[:1], **changes}).resolve(probe.published, MethodLimits())
    assert refused.value.pointer == pointer  # type: ignore[attr-defined]


def test_a_dead_layer_has_no_parts_and_no_classes(probe: KerasProbe) -> None:
    output = parts(probe, [photo_of(probe, "black")], parts=2, layer="colour")
    assert output.warnings == (
        "Layer 'colour' has no activation above 0 in this photo, so there are no parts. Name another layer or other photos.",
    )
    assert [each.classes for each in facts(output).parts] == [(), ()]


def test_one_photo_with_one_colour_has_parts_that_are_nowhere(probe: KerasProbe) -> None:
    output = parts(probe, [photo_of(probe, "red")], parts=3, layer="colour")
    assert output.warnings == ("These parts are zero everywhere, because fewer parts rebuild the activations: 2.",)
    assert facts(output).parts[0].classes
    assert facts(output).parts[2].classes == ()


def test_tokens_that_form_no_map_are_refused_with_layers_that_have_one() -> None:
    photo = keras.Input((8, 12, 3), name="photo")
    x = layers.Conv2D(3, 2, strides=2, name="patches")(photo)
    x = layers.Conv1D(3, 2, strides=2, name="pairs")(layers.Reshape((24, 3), name="tokens")(x))
    tokens = examined_model("pairs", keras.Model(photo, layers.Dense(4)(layers.GlobalAveragePooling1D()(x))))[0]
    words = r"Layer 'pairs' \(Conv1D, output \(12, 3\)\) has no spatial map \(h, w, K\), and no tokens that form one. .*include: patches"
    with pytest.raises(UnsuitableLayer, match=words) as refused:
        parts(tokens, [photo_of(tokens, "red")], layer="pairs")
    assert refused.value.pointer == "/params/layer"


def test_photos_are_called_by_their_names(probe: KerasProbe) -> None:
    several = [photo_of(probe, "red", "green", "blue"), photo_of(probe, "red", "blue")]
    for annotate in (True, False):
        with words_drawn() as words:
            parts(probe, several, parts=3, names={IDS[1]: "stripes.png"}, annotate=annotate)
        assert ("stripes.png" in words) == ("parts of stripes.png" in words) == annotate
        assert ("photo 1" in words) != annotate
        assert "photo 0" in words
