from __future__ import annotations

import io

import cv2
import keras
import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from rendering import colormaps
from rendering.overlays.blend import blend
from rendering.overlays.dlwp1 import draw_as_dlwp1
from rendering.overlays.keras_io import draw_as_keras_io
from rendering.photo import Photo, Placement

HEIGHT, WIDTH = 31, 53
RNG = np.random.default_rng(5)
IMAGE = RNG.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
WHOLE = Photo(IMAGE, Placement((24, 24), (0, 0, 24, 24), (0, 0, HEIGHT, WIDTH)))
CROPPED = Photo(IMAGE, Placement((24, 24), (0, 0, 24, 24), (0, 11, HEIGHT, HEIGHT)))
HEAT = RNG.random((4, 6), np.float32)
HEAT /= HEAT.max()


def test_blend_by_hand() -> None:
    image = np.full((1, 3, 3), 100, np.uint8)
    photo = Photo(image, Placement((8, 8), (0, 0, 8, 8), (0, 0, 1, 3)))
    made, heatmap = blend(np.array([[0, 0.25, 1]], np.float32), photo, "jet", 0.5)
    # the level 64 of jet is (0, 0, 255) · … (0, 2, 255); the weights are 0, 0.5 · 2 · 0.25 and 0.5
    np.testing.assert_array_equal(heatmap, [[[0, 0, 128], colormaps.table("jet")[64], [128, 0, 0]]])
    np.testing.assert_array_equal(made[0, 0], [100, 100, 100])
    np.testing.assert_allclose(made[0, 1], np.rint(75 + 0.25 * colormaps.table("jet")[64]), atol=1)
    np.testing.assert_array_equal(made[0, 2], [114, 50, 50])


def test_a_coarse_map_has_no_creases() -> None:
    """The heat of one cell among 5 × 5 is a round spot: it has the same value at equal distances across and along the diagonal."""
    heat = np.zeros((5, 5), np.float32)
    heat[2, 2] = 1
    _, spot = blend(heat, Photo(np.zeros((250, 250, 3), np.uint8), Placement((5, 5), (0, 0, 5, 5), (0, 0, 250, 250))), "gray", 1)
    for distance in (14, 28, 42):
        diagonal = round(distance / np.sqrt(2))
        assert abs(int(spot[125, 125 + distance, 0]) - int(spot[125 + diagonal, 125 + diagonal, 0])) < 12


def test_the_dlwp1_picture_is_the_books() -> None:
    """The expected picture comes from listing 5.45 of the book, on BGR arrays as cv2 reads them."""
    img = IMAGE[..., ::-1]
    heatmap = cv2.resize(HEAT, (img.shape[1], img.shape[0]))
    heatmap = np.uint8(255 * heatmap)
    heatmap = cv2.applyColorMap(heatmap, cv2.COLORMAP_JET)
    superimposed_img = heatmap * 0.4 + img
    written = cv2.imencode(".png", superimposed_img)[1]
    expected = np.asarray(Image.open(io.BytesIO(written.tobytes())))
    made, alone = draw_as_dlwp1(HEAT, WHOLE)
    np.testing.assert_array_equal(made, expected)
    np.testing.assert_array_equal(alone, heatmap[..., ::-1])


def test_the_keras_io_picture_is_the_examples() -> None:
    """The expected picture comes from `save_and_display_gradcam` of keras.io's example."""
    img = keras.utils.img_to_array(Image.fromarray(IMAGE))
    heatmap = np.uint8(255 * HEAT)
    jet_colors = mpl.colormaps["jet"](np.arange(256))[:, :3]
    jet_heatmap = keras.utils.array_to_img(jet_colors[heatmap])
    jet_heatmap = jet_heatmap.resize((img.shape[1], img.shape[0]))
    jet_heatmap = keras.utils.img_to_array(jet_heatmap)
    expected = np.asarray(keras.utils.array_to_img(jet_heatmap * 0.4 + img))
    made, alone = draw_as_keras_io(HEAT, WHOLE)
    np.testing.assert_array_equal(made, expected)
    np.testing.assert_array_equal(alone, jet_heatmap)


@pytest.mark.parametrize("way", ["blended", "dlwp1"])
def test_outside_the_used_part_the_photo_is_faded_or_as_the_source_has_it(way: str) -> None:
    made, heatmap = blend(HEAT, CROPPED, "viridis", 0.4) if way == "blended" else draw_as_dlwp1(HEAT, CROPPED)
    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[:, 11 : 11 + HEIGHT] = False
    if way == "blended":
        frame = np.zeros_like(outside)
        frame[:, [10, 11 + HEIGHT]] = True
        assert (made[frame] == 255).all()
        beyond = outside & ~frame
        np.testing.assert_array_equal(made[beyond], np.rint(IMAGE[beyond] * np.float32(0.55) + np.float32(0.45 * 230)))
        assert (heatmap[outside] == 230).all()
    else:
        np.testing.assert_array_equal(made[outside], IMAGE[outside])
        assert not heatmap[outside].any()
    assert (heatmap[~outside].sum(axis=1) > 0).all()
    whole = Photo(np.ascontiguousarray(IMAGE[:, 11 : 11 + HEIGHT]), Placement((24, 24), (0, 0, 24, 24), (0, 0, HEIGHT, HEIGHT)))
    alone = blend(HEAT, whole, "viridis", 0.4) if way == "blended" else draw_as_dlwp1(HEAT, whole)
    np.testing.assert_array_equal(made[:, 11 : 11 + HEIGHT], alone[0])


def test_keras_io_with_a_crop_colours_the_used_part_alone() -> None:
    _, heatmap = draw_as_keras_io(HEAT, CROPPED)
    assert not heatmap[:, :11].any()
    assert not heatmap[:, 11 + HEIGHT :].any()
    assert (heatmap[:, 11 : 11 + HEIGHT].max(axis=2) > 0).all()


def test_no_heat_is_the_coldest_colour() -> None:
    _, heatmap = blend(np.zeros((3, 5), np.float32), WHOLE, "inferno", 0.4)
    np.testing.assert_array_equal(heatmap, np.broadcast_to(colormaps.table("inferno")[0], heatmap.shape))


def test_the_photo_is_not_changed() -> None:
    before = IMAGE.copy()
    blend(HEAT, WHOLE, "jet", 0.4)
    draw_as_dlwp1(HEAT, CROPPED)
    draw_as_keras_io(HEAT, CROPPED)
    np.testing.assert_array_equal(IMAGE, before)
