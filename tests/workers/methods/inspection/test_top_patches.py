"""Patches of a model whose activations are known, on photos of several sizes."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from rendering.photo import Photo, Placement
from schemas.limits import MethodLimits
from schemas.methods.inspection.top_patches import TopPatches, TopPatchesFacts
from schemas.models import ReceptiveField
from tests.contract.cases import examined_model
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs, Prepared
from workers.contract.progress import Slice
from workers.methods.inspection import top_patches
from workers.methods.inspection.strongest_positions import StrongPosition
from workers.models.preprocessing import prepare

PATTERN = np.array([[1, -1, 1], [-1, 1, -1]], np.float32)
IDS = tuple(f"img_{number:064x}" for number in range(8))


def model(side: tuple[int | None, int | None] = (13, 9), first: str = "valid") -> keras.Model:
    """Return a model whose layer `find` has three channels.

    Channel 0 is strongest where the photo has PATTERN in white and black, channel 1 where it has the negative. Channel 2 never responds.
    """
    photo = keras.Input((*side, 3), name="photo")
    x = layers.Conv2D(3, (2, 3), strides=(1, 2), padding=first, activation="relu", name="find")(photo)
    pooled = layers.GlobalAveragePooling2D(name="mean")(x)
    made = keras.Model(photo, layers.Dense(5, activation="softmax", name="classes")(pooled))
    kernel = np.stack([PATTERN, -PATTERN, PATTERN * 0], axis=-1)[:, :, None]
    made.get_layer("find").set_weights([np.repeat(kernel, 3, axis=2), np.array([0, 0, -1], np.float32)])
    return made


def run(keras_model: keras.Model, photos: list[np.ndarray], fit: str = "stretch", **params: Any) -> Output:
    probe, published = examined_model("patterns", keras_model)
    spec = published.description.preprocessing.model_copy(update={"fit": fit, "resize": "nearest"})
    sides = published.description.input
    several = []
    for image in photos:
        tensor, placement = prepare(image, spec, (sides.height, sides.width), 3)
        several.append(Prepared(Photo(image, placement), tensor))
    given = {"images": IDS[: len(photos)], "layer": "find", "annotate": False} | params
    resolved = TopPatches.model_validate(given).resolve(published, MethodLimits())
    slices, made = [], top_patches.run(probe, Inputs(np.zeros((0, 1, 1, 3), np.float32), None, tuple(several)), resolved)
    while True:
        try:
            slices.append(next(made))
        except StopIteration as stop:
            assert slices[-1] == Slice(len(photos), len(photos))
            return top_patches.draw(stop.value, None, resolved)


def grey(height: int, width: int) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def with_pattern(image: np.ndarray, top: int, left: int, scale: tuple[int, int] = (1, 1), strength: int = 100) -> np.ndarray:
    image = image.copy()
    pixels = np.kron(PATTERN, np.ones(scale))[..., None] * strength
    part = image[top : top + pixels.shape[0], left : left + pixels.shape[1]]
    part[:] = (part + pixels).astype(np.uint8)
    return image


def facts(output: Output) -> TopPatchesFacts:
    assert isinstance(output.facts, TopPatchesFacts)
    return output.facts


def array(output: Output, name: str) -> np.ndarray:
    (found,) = (each.array for each in output.artifacts if each.name == name and isinstance(each, Array))
    return found


def test_the_pattern_is_found_in_its_photo_at_its_place() -> None:
    """Three photos have twice the input's height and three times its width. The second has the pattern at input row 5, column 4."""
    photos = [grey(26, 27), with_pattern(grey(26, 27), 10, 12, (2, 3)), with_pattern(grey(26, 27), 4, 6, (2, 3), 40)]
    output = run(model(), photos, channels=[0], count=3)
    (channel,) = facts(output).channels
    strong, weak = channel.patches
    assert (strong.image, strong.number, strong.position, strong.box) == (IDS[1], 1, (5, 2, 0), (10, 12, 4, 9))
    assert (weak.image, weak.number, weak.position, weak.box) == (IDS[2], 2, (2, 1, 0), (4, 6, 4, 9))
    assert strong.value == pytest.approx(18 * 100 / 127.5, rel=0.02)  # 2 × 3 pixels of 3 channels
    assert weak.value == pytest.approx(18 * 40 / 127.5, rel=0.02)
    np.testing.assert_array_equal(array(output, "positions"), [[[1, 5, 2], [2, 2, 1], [-1, -1, -1]]])
    np.testing.assert_allclose(array(output, "values"), [[strong.value, weak.value, 0]])


def test_a_patch_is_cut_from_the_photo() -> None:
    """Each patch is in a square of 112 pixels under two titles of 21 and a caption of 18, where 4 × 9 pixels become 50 × 112."""
    output = run(model(), [with_pattern(grey(26, 27), 10, 12, (2, 3))], channels=[0], count=1)
    (sheet,) = (each for each in output.artifacts if isinstance(each, Picture))
    box = sheet.image[60:172, :112, 0]
    cut = box[31:81]
    assert np.isin(cut, (28, 228)).all()
    assert (box[:31] == 255).all()
    assert (box[81:] == 255).all()
    np.testing.assert_array_equal(np.sign(cut[12::25, 18::37].astype(int) - 128), PATTERN)


def test_at_the_border_a_patch_is_cut_off() -> None:
    """With SAME padding and a stride of 2, 9 columns become 5 with one column of padding before; 13 rows have one of padding after."""
    photo = grey(13, 9)
    photo[12, 7:9] = (255, 255, 255), (0, 0, 0)  # position (12, 4) sees rows 12-13 and columns 7-9
    output = run(model(first="same"), [photo], channels=[0], count=1)
    (patch,) = facts(output).channels[0].patches
    assert (patch.position, patch.box) == ((12, 4, 0), (12, 7, 1, 2))
    assert (facts(output).receptive_field.offset, facts(output).receptive_field.size) == ((0, -1), (2, 3))


def test_a_crop_is_looked_for_in_the_middle() -> None:
    """The photo is 13 × 21 and the input 13 × 9, so the model saw columns 6 to 14."""
    photos = [with_pattern(with_pattern(grey(13, 21), 3, 0), 8, 12, strength=50)]
    (patch,) = facts(run(model(), photos, "crop", channels=[0], count=1)).channels[0].patches
    assert (patch.position, patch.box) == ((8, 3, 0), (8, 12, 2, 3))


def test_a_letterbox_border_is_no_patch() -> None:
    """A 5 × 9 photo fills rows 4 to 8 of the input, so positions 3 to 8 see a part of it.

    A white photo excites channel 1 most at its upper edge, where its first row is the second row that is seen, and channel 0 only at its
    lower edge.
    """
    output = run(model(), [np.full((5, 9, 3), 255, np.uint8)], "letterbox", channels=[0, 1], count=5, per_image=5)
    (lower, upper) = (channel.patches for channel in facts(output).channels)
    assert [(patch.position[0], patch.box[0], patch.box[2]) for patch in lower] == [(8, 4, 1)] * 4
    assert [(patch.position[0], patch.box[0], patch.box[2]) for patch in upper] == [(3, 0, 1)] * 4
    photo = Photo(grey(5, 9), Placement((13, 9), (4, 0, 5, 9), (0, 0, 5, 9)))
    field = ReceptiveField(size=(2, 3), stride=(1, 2), offset=(0, 0))
    seen = top_patches.seen_positions(field, (12, 4), photo)
    assert seen.all(1).tolist() == seen.any(1).tolist() == [3 <= row <= 8 for row in range(12)]


def test_photos_of_different_sizes_where_the_model_takes_any() -> None:
    """Inputs of 32 × 64, 64 × 32 and 32 × 64 keep their order."""
    photos = [grey(32, 64), with_pattern(grey(64, 32), 41, 20), with_pattern(grey(32, 64), 7, 40, strength=90)]
    (channel,) = facts(run(model((None, None)), photos, channels=[0], count=2)).channels
    assert [(patch.number, patch.position, patch.box) for patch in channel.patches] == [
        (1, (41, 10, 0), (41, 20, 2, 3)),
        (2, (7, 20, 0), (7, 40, 2, 3)),
    ]


def test_the_strongest_channels_unless_they_are_named_and_silence_is_said() -> None:
    photos = [with_pattern(grey(13, 9), 5, 4, strength=100), with_pattern(grey(13, 9), 3, 2, strength=-120)]
    output = run(model(), photos, channels=3, count=1)
    assert [channel.channel for channel in facts(output).channels] == [1, 0, 2]
    assert facts(output).channels[2].patches == ()
    assert output.warnings == ("These channels have no patches because they are the same everywhere in these images: 2.",)
    assert [channel.channel for channel in facts(run(model(), photos, channels=[2, 0], count=1)).channels] == [2, 0]


def test_several_of_one_image() -> None:
    photo = with_pattern(with_pattern(grey(13, 9), 0, 0), 9, 6, strength=80)
    (channel,) = facts(run(model(), [photo], channels=[0], count=4, per_image=2)).channels
    assert [patch.box for patch in channel.patches] == [(0, 0, 2, 3), (9, 6, 2, 3)]


def test_a_field_as_large_as_the_input_is_said() -> None:
    photo = keras.Input((5, 3, 3))
    x = layers.Conv2D(2, (5, 3), padding="same", name="find")(photo)
    output = run(keras.Model(photo, layers.Dense(2)(layers.Flatten()(x))), [with_pattern(grey(5, 3), 1, 0)], count=1)
    assert "is at least as large as the input, 5 × 3" in output.warnings[0]


def test_photos_a_pixel_wide() -> None:
    rng = np.random.default_rng(5)
    shapes = [(1, 1), (1, 37), (40, 1), (26, 27)]
    photos = [rng.integers(0, 256, (*shape, 3), np.uint8) for shape in shapes]
    patches = [patch for channel in facts(run(model(), photos, channels=[0, 1], count=4)).channels for patch in channel.patches]
    assert {patch.number for patch in patches} == {2, 3}  # a row of equal values excites nothing
    for patch in patches:
        top, left, height, width = patch.box
        assert min(top, left, height - 1, width - 1) >= 0
        assert top + height <= shapes[patch.number][0]
        assert left + width <= shapes[patch.number][1]


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_a_patch_is_what_moves_its_neuron(padding: str) -> None:
    """Change each pixel of a photo of the input's own size, one at a time, and compare every neuron of the map.

    All weights are above 0, so that no change can cancel another.
    """
    photo = keras.Input((14, 19, 3), name="photo")
    x = layers.Conv2D(4, (3, 4), strides=(1, 2), padding=padding, name="stem")(photo)
    x = layers.AveragePooling2D((2, 3), strides=(2, 1), padding=padding, name="pool")(x)
    x = layers.Conv2D(2, (3, 2), dilation_rate=(1, 2), padding=padding, name="find")(x)
    net = keras.Model(photo, layers.Dense(2, name="scores")(layers.Flatten()(x)))
    rng = np.random.default_rng(6)
    for weight in net.weights:
        weight.assign(rng.uniform(0.5, 1, weight.shape))
    probe, published = examined_model("brute", net)
    field = published.description.layer_at("find").receptive_field
    assert field is not None
    image = rng.uniform(-1, 1, (14, 19, 3)).astype(np.float32)
    changed = np.repeat(image[None], 14 * 19, axis=0)
    places = np.indices((14, 19)).reshape(2, -1)
    changed[np.arange(14 * 19), places[0], places[1]] += 1
    answers = probe.forward(np.concatenate([image[None], changed]), ["find"]).activations["find"]
    moved = (np.abs(answers[1:] - answers[0]) > 1e-4).any(axis=-1)
    at_own_size = Photo(np.zeros((14, 19, 3), np.uint8), Placement((14, 19), (0, 0, 14, 19), (0, 0, 14, 19)))
    for y, x in np.ndindex(answers.shape[1:3]):
        sees = np.zeros((14, 19), bool)
        sees[top_patches.patch_of(field, StrongPosition(0, y, x, 0.0), at_own_size)] = True
        np.testing.assert_array_equal(moved[:, y, x].reshape(14, 19), sees)


def test_the_strongest_places_by_brute_force() -> None:
    """The values are the largest of each image in the layer's output as Keras computes it."""
    rng = np.random.default_rng(3)
    photos = [rng.integers(0, 256, (13, 9, 3), np.uint8) for _ in range(5)]
    output = run(model(), photos, channels=[0, 1], count=4, per_image=1)
    net = model()
    answers = np.asarray(keras.Model(net.input, net.get_layer("find").output)(np.stack(photos) / np.float32(127.5) - 1))
    for channel in (0, 1):
        best = [
            (float(answers[n, ..., channel].max()), n, *divmod(int(answers[n, ..., channel].argmax()), answers.shape[2])) for n in range(5)
        ]
        expected = sorted(best, reverse=True)[:4]
        found = facts(output).channels[channel].patches
        assert [(patch.number, *patch.position[:2]) for patch in found] == [place[1:] for place in expected]
        np.testing.assert_allclose([patch.value for patch in found], [place[0] for place in expected], rtol=1e-5)


def test_an_explained_patch_at_the_border_is_a_square_with_its_names() -> None:
    """Position (12, 4) sees rows 12-13 and columns 7-9 of a photo of 13 × 9: a half and two thirds of its patch are there."""
    photo = grey(13, 9)
    photo[12, 7:9] = (255, 255, 255), (0, 0, 0)
    given = {"channels": [0], "count": 1, "annotate": True}
    (sheet,) = (each.image for each in run(model(first="same"), [photo], **given).artifacts if isinstance(each, Picture))
    square = sheet[42 + 36 : 42 + 36 + 112, :112, 0]  # below two titles and two lines of a caption
    third = 112 / 3
    assert (square[40:] == 230).all()  # the second row is beyond the photo, and the third makes the patch of 2 × 3 a square
    assert {int(square[round(third * 0.5), round(third * (x + 0.5))]) for x in range(3)} == {255, 0, 230}
    named = run(model(first="same"), [photo], **given, names={IDS[0]: "cat.jpg"})
    (other,) = (each.image for each in named.artifacts if isinstance(each, Picture))
    assert (other[42:60] != sheet[42:60]).any()
    np.testing.assert_array_equal(other[60:], sheet[60:])
