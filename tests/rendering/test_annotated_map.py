from __future__ import annotations

import numpy as np
import pytest

from rendering.drawings import drawing_from
from rendering.drawings.annotated_map import GAP, AnnotatedMap
from rendering.drawings.maps_on_photo import MapsOnPhoto
from rendering.photo import Placement

WHOLE = Placement((60, 80), (0, 0, 60, 80), (0, 0, 60, 80))
CROPPED = Placement((60, 60), (0, 0, 60, 60), (0, 10, 60, 60))
PHOTO = np.random.default_rng(1).integers(0, 256, (60, 80, 3), np.uint8)
MAP = np.random.default_rng(2).normal(size=(6, 8)).astype(np.float32)


def maps(**options: object) -> MapsOnPhoto:
    return MapsOnPhoto.model_validate({"photo_size": (60, 80), "placement": WHOLE, **options})


@pytest.mark.parametrize("part", ["overlay", "heatmap"])
@pytest.mark.parametrize("array", [MAP, np.stack([MAP, -MAP])])
@pytest.mark.parametrize("beside", [False, True])
def test_the_size_is_known_before_and_the_bare_picture_is_inside(part: str, array: np.ndarray, beside: bool) -> None:
    bare = maps(part=part, captions=("one", "two") if array.ndim == 3 else ())
    drawing = AnnotatedMap(maps=bare, title=("Method", "model"), explained="cat (1) · 50%", beside_photo=beside)
    drawn = drawing.draw({"map": array}, PHOTO)
    assert drawn.shape[:2] == drawing.size({"map": array})
    inner, shift = bare.draw({"map": array}, PHOTO), 80 + GAP if beside and part == "overlay" and array.ndim == 2 else 0
    height, width = inner.shape[:2]
    tops = [top for top in range(len(drawn) - height + 1) if (drawn[top : top + height, shift : shift + width] == inner).all()]
    assert len(tops) == 1
    if shift:
        np.testing.assert_array_equal(drawn[tops[0] : tops[0] + 60, :80], PHOTO)
    assert drawing_from(drawing.model_dump(mode="json")) == drawing


@pytest.mark.parametrize(
    ("options", "labels"),
    [
        ({"scaling": "heat"}, ((0.0, "0"), (1.0, "8"))),
        ({"scaling": "heat_from_minimum"}, ((0.0, "−4"), (1.0, "8"))),
        ({"scaling": "signed", "way": "diverging"}, ((0.0, "−8"), (0.5, "0"), (1.0, "8"))),
        ({"scaling": "signed", "way": "diverging", "clip": 50}, ((0.0, "≤ −2"), (0.5, "0"), (1.0, "≥ 2"))),
    ],
)
def test_the_numbers_of_the_scale_are_those_of_the_map(options: dict[str, object], labels: tuple[object, ...]) -> None:
    """The absolute values that are not 0 are 1, 1, 2, 4 and 8, and their median is 2."""
    values = np.array([[1, -2, 0], [-4, 8, 1]], np.float32)
    assert maps(**options).colour_scale({"map": values}).labels == labels


def test_several_maps_have_words_and_a_degenerate_one_its_only_value() -> None:
    values = np.array([[1, -2, 0], [-4, 8, 1]], np.float32)
    several = maps(scaling="signed", captions=("a", "b")).colour_scale({"map": np.stack([values, values])})
    assert several.labels == ((0.0, "−max"), (0.5, "0"), (1.0, "max"))
    assert maps().colour_scale({"map": values * 0}).labels == ((0.0, "0"),)


def test_the_note_says_what_the_scale_does_not() -> None:
    assert maps().meaning == ""
    assert maps(placement=CROPPED).meaning == "faded: not seen by the model"
    signed = maps(placement=CROPPED, way="diverging", scaling="signed", part="heatmap")
    assert signed.meaning == "red: for it · blue: against it · light grey: not seen by the model"


@pytest.mark.parametrize("options", [{"way": "diverging", "scaling": "signed"}, {"scaling": "heat", "colormap": "turbo"}])
def test_the_colours_of_the_scale_are_those_of_the_map(options: dict[str, object]) -> None:
    """A map whose columns rise evenly to 1 has the colours of the scale from left to right."""
    low = -1 if options["scaling"] == "signed" else 0
    ramp = np.tile(np.linspace(low, 1, 80, dtype=np.float32), (60, 1))
    drawing = maps(part="heatmap", **options)
    drawn, scale = drawing.draw({"map": ramp})[30], drawing.colour_scale({"map": ramp}).colours
    expected = scale[np.rint(np.linspace(0, 255, 80)).astype(int)]
    assert np.abs(drawn.astype(int) - expected.astype(int)).max() <= 12
