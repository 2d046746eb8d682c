"""Maps over a part of the input, on the photo and on the input; and every method's spot on models that cut, pad or mirror the photo."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from rendering.photo import Photo, Placement
from rendering.placement import onto_photo
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from tests.contract.cases import MethodCase, examined_model
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.engine.probe import KerasProbe
from workers.methods import implementation
from workers.methods.map_places import over_input, photo_under, regridded, seen_part, stretched_place
from workers.models.preprocessing import place

CUT = MapPlace(area=(2, 1, 4, 6), seen=(2, 1, 4, 6))


def whole_photo(height: int, width: int) -> Photo:
    return Photo(np.zeros((height, width, 3), np.uint8), Placement((8, 10), (0, 0, 8, 10), (0, 0, height, width)))


def test_a_cut_map_on_a_photo_by_hand() -> None:
    """Rows 2-5 and columns 1-6 of the input are rows 4-11 and columns 2-13 of the photo. One map cell is 4 rows and 6 columns."""
    placement = photo_under(whole_photo(16, 20), CUT).placement
    assert placement == Placement((4, 6), (0, 0, 4, 6), (4, 2, 8, 12))
    drawn = onto_photo(np.array([[0, 6], [0, 0]], np.float32), placement, (16, 20))
    assert not any(beside.any() for beside in (drawn[:4], drawn[12:], drawn[:, :2], drawn[:, 14:]))
    # The centres of the cells lie at columns 5 and 11 and at rows 6 and 10; between them, the values are linear.
    np.testing.assert_allclose(drawn[4, 2:14], [0, 0, 0, 0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6, 6, 6])
    np.testing.assert_allclose(drawn[4:12, 13], [6, 6, 5.25, 3.75, 2.25, 0.75, 0, 0])


def test_a_mirrored_map_by_hand() -> None:
    turned = MapPlace(area=(0, 0, 8, 10), seen=(0, 0, 8, 10), mirrored=(False, True))
    drawn = onto_photo(np.array([[0, 1]], np.float32), photo_under(whole_photo(1, 4), turned).placement, (1, 4))
    np.testing.assert_allclose(drawn, [[1, 0.75, 0.25, 0]])


def test_padding_inside_the_model_lies_beyond_the_photo() -> None:
    padded = MapPlace(area=(-4, 0, 16, 10), seen=(0, 0, 8, 10))  # 4 rows above and 4 rows below the 8 of the input
    drawn = onto_photo(np.array([[9], [1], [3], [9]], np.float32), photo_under(whole_photo(2, 1), padded).placement, (2, 1))
    np.testing.assert_allclose(drawn, [[1], [3]])


@pytest.mark.parametrize(("fit", "seen"), [("stretch", (4, 4, 8, 8)), ("crop", (4, 8, 8, 8)), ("letterbox", (4, 8, 8, 8))])
def test_what_a_layer_sees_of_a_photo_depends_on_its_fit(fit: str, seen: tuple[int, ...]) -> None:
    """The input is 8 × 8, and a layer sees its inner 4 × 4. A photo of 16 × 24 (stretched from 16 × 16) is cut or bordered first."""
    size = {"stretch": (16, 16), "crop": (16, 24), "letterbox": (16, 24)}[fit]
    found = seen_part(place(size, (8, 8), fit), (2, 2, 4, 4)).source
    if fit == "letterbox":  # 24 columns become 8, so 16 rows become 5, below 1 row; rows 2-5 of the input are the photo's 3.2-16
        assert found == pytest.approx((3.2, 6, 12.8, 12))
    else:
        assert found == pytest.approx(seen)


def test_over_the_input_by_hand() -> None:
    found = over_input(np.array([[1, 1], [1, 1]], np.float32), CUT, (8, 10))
    expected = np.zeros((8, 10))
    expected[2:6, 1:7] = 1
    np.testing.assert_array_equal(found, expected)


def test_a_map_on_the_cells_of_another() -> None:
    values = np.arange(8, dtype=np.float32)[:, None] * np.ones((1, 10), np.float32)
    np.testing.assert_allclose(regridded(values, MapPlace.whole((8, 10)), CUT, (4, 6)), values[2:6, 1:7])
    turned = MapPlace(CUT.area, CUT.seen, mirrored=(True, False))
    np.testing.assert_allclose(regridded(values, MapPlace.whole((8, 10)), turned, (4, 6)), values[5:1:-1, 1:7])
    back = regridded(values[2:6, 1:7], CUT, MapPlace.whole((8, 10)), (8, 10))
    np.testing.assert_allclose(back[2:6, 1:7], values[2:6, 1:7])
    assert back.sum() == values[2:6, 1:7].sum()


def test_the_presets_stretch_what_windows_without_padding_leave_out_but_not_what_is_cut() -> None:
    window = MapPlace(area=(2, 2, 56, 38), seen=(0, 0, 60, 42))
    assert stretched_place(window, (14, 10)) == MapPlace((0, 0, 60, 42), (0, 0, 60, 42))
    assert stretched_place(window, (28, 19)) == window  # 2 pixels are a whole cell here
    assert stretched_place(CUT, (2, 2)) == CUT


def spotted(move: Callable[[Any], Any]) -> tuple[keras.Model, str]:
    """Return a model whose class 0 rises with the brightness of what `move` leaves of a photo of 96 × 72, in cells of 6 × 6."""
    photo = keras.Input((96, 72, 3), name="photo")
    bright = layers.Conv2D(1, 1, use_bias=False, kernel_initializer=keras.initializers.Constant(1 / 765))
    features = layers.Conv2D(2, 1, use_bias=False, name="feat", activation="relu")
    scores = layers.Dense(2, activation="softmax", use_bias=False)
    x = features(layers.AveragePooling2D(6)(bright(move(photo))))
    model = keras.Model(photo, scores(layers.GlobalAveragePooling2D()(x)))
    features.kernel.assign(np.reshape([1.0, 0.1], (1, 1, 1, 2)))
    scores.kernel.assign([[1.0, -1.0], [0.0, 0.0]])
    return model, "feat"


MOVES: dict[str, Callable[[Any], Any]] = {
    "centre": layers.CenterCrop(60, 48),
    "corner": layers.Cropping2D(((0, 30), (0, 24))),
    "padded and mirrored": lambda x: layers.ZeroPadding2D(((18, 0), (12, 6)))(x)[:, :, ::-1],
    "resized": layers.Resizing(60, 60, crop_to_aspect_ratio=True),
}
SPOT = {"centre": (100, 62), "corner": (40, 70), "padded and mirrored": (40, 110), "resized": (60, 62)}


@cache
def probe_with(move: str) -> KerasProbe:
    return examined_model(move.replace(" ", "_"), spotted(MOVES[move])[0])[0]


def hottest(method: str, move: str, **given: Any) -> tuple[float, float]:
    """Return where a method's heatmap is hottest on a photo of 192 × 144 that is black but for a bright square around the spot."""
    probe, (y, x) = probe_with(move), SPOT[move]
    image = np.zeros((192, 144, 3), np.uint8)
    image[y - 10 : y + 10, x - 10 : x + 10] = 255
    tensor = image.reshape(96, 2, 72, 2, 3).mean(axis=(1, 3)).astype(np.float32)
    photo = Photo(image, Placement((96, 72), (0, 0, 96, 72), (0, 0, 192, 144)))
    params = METHODS[method].model_validate({"layer": "feat", **given}).resolve(probe.published, MethodLimits())
    case = MethodCase(probe, probe.published, params, implementation(method))
    output = case.draw(case.result(tensor[None], photo), photo)
    heatmap = next(each for each in output.artifacts if each.name == "heatmap").image.astype(int)  # type: ignore[union-attr]
    red = heatmap[..., 0] - heatmap[..., 2]
    rows, columns = np.nonzero(red >= red.max() - 5)
    return float(rows.mean()), float(columns.mean())


@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("given", [{"class_index": 0}, {"class_index": 0, "preset": "keras_io"}, {"class_index": 0, "preset": "dlwp1"}])
def test_grad_cam_draws_a_spot_where_it_is(move: str, given: dict[str, Any]) -> None:
    assert hottest("grad_cam", move, **given) == pytest.approx(SPOT[move], abs=9)


@pytest.mark.parametrize("method", ["grad_cam_plus_plus", "layer_cam", "hires_cam", "xgrad_cam", "eigen_cam", "score_cam", "ablation_cam"])
def test_every_cam_draws_a_spot_where_it_is(method: str) -> None:
    given = {} if method == "eigen_cam" else {"class_index": 0}
    for move in ("corner", "padded and mirrored"):
        assert hottest(method, move, **given) == pytest.approx(SPOT[move], abs=9)
        if method == "layer_cam":  # the mirrored input shows another part of the photo to a model that cuts off a corner
            assert hottest(method, move, **given, augment=True) == pytest.approx(SPOT[move], abs=9)


def test_regions_of_an_output_lie_where_its_map_lies() -> None:
    """A region around the spot explains the positions of the output that see the spot."""
    photo = keras.Input((96, 72, 3), name="photo")
    x = layers.AveragePooling2D(6)(layers.Cropping2D(((0, 30), (12, 12)))(photo)[:, ::-1])
    model = keras.Model(photo, layers.Conv2D(2, 1, name="dense")(x))
    probe = examined_model("regions", model)[0]
    place_of_output = probe.map_place("dense", (96, 72))
    assert place_of_output == MapPlace((0, 12, 66, 48), (0, 12, 66, 48), mirrored=(True, False))
    image = np.zeros((192, 144, 3), np.uint8)
    photo_of_job = Photo(image, Placement((96, 72), (0, 0, 96, 72), (0, 0, 192, 144)))
    params = METHODS["saliency"].model_validate({"target": {"region": {"class": 1, "where": {"point": [50, 64]}}}})
    method = implementation("saliency")
    resolved = params.resolve(probe.published, MethodLimits())
    (found,) = method.run(probe, Inputs(np.ones((1, 96, 72, 3), np.float32), photos=(photo_of_job,)), [resolved])
    rows, columns = np.nonzero(found.maps[0])
    # The point is row 25 and column 32 of the input, in the cell of rows 24-29 and columns 30-35.
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (24, 29, 30, 35)
