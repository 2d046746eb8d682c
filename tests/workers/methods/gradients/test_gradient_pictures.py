"""The pictures, arrays and warnings of gradient methods."""

from __future__ import annotations

import numpy as np
import pytest

from rendering.overlays.unseen import UNSEEN, faded
from rendering.photo import Photo, Placement
from schemas.errors import NonFinite
from schemas.methods.gradients.saliency import Saliency
from tests.workers.methods.gradients.support import attribution, by_name, resolved
from tests.workers.methods.support import FormulaProbe, batch, photo_of
from workers.contract.artifacts import Array
from workers.contract.inputs import Inputs
from workers.methods.gradients import gradient_pictures, saliency


def test_pictures_show_place_and_sign() -> None:
    values = np.zeros((1, 4, 6, 3))
    values[0, 1, 4], values[0, 3, 0] = 2.0, -1.0
    params = resolved("grad_x_input", clip=100)
    photo = photo_of(40, 60)
    output = gradient_pictures.draw_signed(attribution(values, values.sum(-1)), photo, params)
    drawn = by_name(output, photo)
    assert list(drawn) == ["picture", "overlay", "attribution", "map"]
    assert [each.is_primary for each in output.artifacts[:2]] == [True, False]
    picture = drawn["picture"].astype(int)
    assert picture.shape == (40, 60, 3)
    red, blue, paper = (
        picture[15, 45],
        picture[35, 3],
        picture[25, 25],
    )  # these are the middles of the cells (1, 4) and (3, 0), and of an empty cell
    assert red[0] > red[2] + 100
    assert blue[2] > blue[0] + 30
    assert paper.min() > 240
    np.testing.assert_array_equal(drawn["attribution"], values[0])
    np.testing.assert_array_equal(drawn["map"], values[0].sum(-1))


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_colours_are_rgb_whatever_the_models_channel_order(order: str) -> None:
    values = np.zeros((1, 4, 6, 3))
    values[0, 0, 5] = (4.0, 0.0, -2.0)
    params = resolved("guided_backprop", clip=100)
    found = attribution(values, np.abs(values).max(-1), order=order)
    picture = by_name(gradient_pictures.draw_colour(found, photo_of(4, 6), params))["picture"]
    expected = (255, 128, 64) if order == "rgb" else (64, 128, 255)
    np.testing.assert_array_equal(picture[0, 5], expected)
    assert (picture[1:] == 128).all()


def test_a_model_with_one_channel_gives_grey_pictures() -> None:
    values = np.zeros((1, 4, 6, 1))
    values[0, 2, 3] = 1.0
    found = attribution(values, values[..., 0], order="gray")
    picture = by_name(gradient_pictures.draw_colour(found, photo_of(4, 6), resolved("guided_backprop", clip=100)))["picture"]
    np.testing.assert_array_equal(picture[2, 3], (255, 255, 255))
    assert (picture[0] == 128).all()


def test_parts_that_the_model_did_not_see_are_grey_or_the_faded_image() -> None:
    photo = Photo(photo_of(8, 12).image, Placement((4, 6), (0, 0, 4, 6), (0, 3, 8, 6)))
    values = np.random.default_rng(0).normal(size=(1, 4, 6, 3))
    drawn = by_name(gradient_pictures.draw_colour(attribution(values, np.abs(values).max(-1)), photo, resolved("guided_backprop")), photo)
    for columns in (slice(0, 3), slice(9, 12)):
        assert (drawn["picture"][:, columns] == UNSEEN).all()
        np.testing.assert_array_equal(drawn["overlay"][:, columns], faded(photo.image, (slice(0, 8), slice(3, 9)))[:, columns])
    assert drawn["picture"][:, 3:9].any(axis=-1).all()


@pytest.mark.parametrize(
    ("method", "background"), [("saliency", (0, 0, 4)), ("grad_x_input", (247, 247, 247)), ("guided_backprop", (128, 128, 128))]
)
def test_a_map_without_contrast_gives_a_warning_and_an_empty_picture(method: str, background: tuple[int, ...]) -> None:
    draw = {
        "saliency": gradient_pictures.draw_magnitude,
        "grad_x_input": gradient_pictures.draw_signed,
        "guided_backprop": gradient_pictures.draw_colour,
    }[method]
    for value, words in ((0.0, "zero everywhere"), (3.0, "the same everywhere"), (np.nan, "not finite")):
        values = np.full((2, 4, 6, 3), value)
        output = draw(attribution(values, values[..., 0]), photo_of(), resolved(method, class_index=(0, 1)))
        assert [f"goldfish (1): the map is {words}" in warning for warning in output.warnings] == [False, True]
        single = draw(attribution(values[:1], values[:1, ..., 0]), photo_of(), resolved(method))
        assert np.abs(by_name(single)["picture"].astype(int) - background).max() <= 2


def test_an_image_of_one_pixel() -> None:
    values = np.random.default_rng(1).normal(size=(1, 4, 6, 3))
    photo = photo_of(1, 1)
    for draw in (gradient_pictures.draw_signed, gradient_pictures.draw_colour):
        for name, drawn in by_name(draw(attribution(values, values.sum(-1)), photo, resolved("guided_backprop")), photo).items():
            assert drawn.shape == ((1, 1, 3) if name in ("picture", "overlay") else values.shape[1:] if name == "attribution" else (4, 6))


def test_several_classes_are_tiles_with_all_arrays() -> None:
    x, params = batch(1), resolved("saliency", class_index=("goldfish", "tench"))
    (found,) = saliency.run(FormulaProbe(), Inputs(x), [params])
    photo = photo_of(20, 30)
    output = saliency.draw(found, photo, params)
    drawn = by_name(output, photo)
    assert drawn["attribution"].shape == (2, 4, 6, 3)
    assert drawn["map"].shape == (2, 4, 6)
    assert drawn["picture"].shape[1] == 2 * 30 + 4
    assert (output.facts.model_dump()["class_index"], len(output.facts.model_dump()["classes"])) == (1, 2)


def test_scores_that_are_not_finite_fail_the_job() -> None:
    x = batch(1) * np.float32(1e30)
    with np.errstate(over="ignore", invalid="ignore"):
        (found,) = saliency.run(FormulaProbe(), Inputs(x), [resolved("saliency")])
    with pytest.raises(NonFinite, match="not finite"):
        saliency.draw(found, photo_of(), Saliency())


def test_arrays_of_one_class_have_no_axis_for_classes() -> None:
    output = saliency.draw(saliency.run(FormulaProbe(), Inputs(batch(1)), [resolved("saliency")])[0], photo_of(), Saliency())
    assert {each.name: each.array.shape for each in output.artifacts if isinstance(each, Array)} == {
        "attribution": (4, 6, 3),
        "map": (4, 6),
    }
