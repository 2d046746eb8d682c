"""Photos for models that take any size: at their own size, and rounded only as far as the model needs it."""

from __future__ import annotations

import numpy as np
import pytest

from rendering.photo import Photo, Placement
from schemas.models import InputSpec, Preprocessing
from workers.execution.size_warnings import size_warnings
from workers.models.preprocessing import FreeSides, free_placement, prepare

U_NET = FreeSides(multiple=32, smallest=32)


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.parametrize(("height", "width"), [(48, 80), (301, 451), (1, 7), (512, 33)])
def test_a_photo_goes_to_the_model_as_it_is(height: int, width: int) -> None:
    photo = image(height, width)
    tensor, placement = prepare(photo, Preprocessing(), None, 3)
    np.testing.assert_array_equal(tensor, photo)
    assert placement == Placement((height, width), (0, 0, height, width), (0, 0, height, width))


def test_a_photo_is_padded_to_the_multiples_that_a_model_needs() -> None:
    photo = image(50, 83)
    spec = Preprocessing(mean=(100.0,))
    tensor, placement = prepare(photo, spec, (None, None), 3, U_NET)
    assert placement == Placement((64, 96), (7, 6, 50, 83), (0, 0, 50, 83))
    np.testing.assert_array_equal(tensor[7:57, 6:89], photo.astype(np.float32) - 100)
    assert np.count_nonzero(tensor) == np.count_nonzero(tensor[7:57, 6:89])
    assert prepare(image(64, 96), spec, None, 3, U_NET)[1].input_size == (64, 96)


def test_a_crop_cuts_off_what_is_more_than_a_multiple() -> None:
    photo = image(70, 100)
    tensor, placement = prepare(photo, Preprocessing(fit="crop"), None, 3, U_NET)
    assert placement == Placement((64, 96), (0, 0, 64, 96), (3, 2, 64, 96))
    np.testing.assert_array_equal(tensor, photo[3:67, 2:98])
    narrow = free_placement((70, 20), "crop", U_NET)  # 20 columns become 32, so 70 rows become 112, of which 96 are a multiple
    assert (narrow.input_size, narrow.source) == ((96, 32), (5, 0, 60, 20))


def test_a_large_photo_is_scaled_down_and_a_small_one_up_with_the_aspect_ratio_kept() -> None:
    assert free_placement((700, 1000), "stretch", FreeSides()).input_size == (358, 512)
    small = free_placement((10, 15), "stretch", FreeSides(smallest=75))
    assert small == Placement((75, 112), (0, 0, 75, 112), (0, 0, 10, 15))
    thin = free_placement((20, 5000), "stretch", U_NET)  # 512 columns are the most, so 2 rows lie in 32
    assert thin == Placement((32, 512), (15, 0, 2, 512), (0, 0, 20, 5000))


def test_one_free_side_follows_from_the_other() -> None:
    """A text recogniser has 32 rows and as many columns as the photo has for them."""
    assert prepare(image(64, 300), Preprocessing(), (32, None), 3)[1] == Placement((32, 150), (0, 0, 32, 150), (0, 0, 64, 300))
    assert prepare(image(300, 64), Preprocessing(), (None, 32), 3)[1].input_size == (150, 32)
    long = prepare(image(10, 600), Preprocessing(), (32, None), 3)[1]
    assert (long.input_size, long.box) == ((32, 512), (11, 0, 9, 512))


def test_a_side_may_be_a_multiple_plus_a_number() -> None:
    unpadded = FreeSides(multiple=16, remainder=12, smallest=188)
    assert free_placement((205, 300), "stretch", unpadded) == Placement((220, 300), (7, 0, 205, 300), (0, 0, 205, 300))
    assert free_placement((205, 301), "crop", unpadded) == Placement((204, 300), (0, 0, 204, 300), (0.5, 0.5, 204, 300))
    assert free_placement((94, 100), "stretch", unpadded).input_size == (188, 204)


def test_the_settings_say_what_the_longest_side_is() -> None:
    assert free_placement((700, 1000), "stretch", FreeSides(longest=1200)).input_size == (700, 1000)
    assert free_placement((700, 1000), "stretch", FreeSides(longest=100)).input_size == (70, 100)
    assert prepare(image(10, 600), Preprocessing(), (32, None), 3, FreeSides(longest=1000))[1].input_size == (32, 1000)


def warnings_of(given: InputSpec, *sizes: tuple[int, int]) -> list[str]:
    free = FreeSides.of(given)
    return list(size_warnings(given, [Photo(image(*size), free_placement(size, "letterbox", free)) for size in sizes]))


def test_a_warning_says_what_was_done_to_a_photo() -> None:
    anything = InputSpec(name="photo", height=None, width=None, channels=3)
    multiples = InputSpec(name="photo", height=None, width=None, channels=3, multiple=32, smallest=32)
    assert warnings_of(anything, (48, 80)) == []
    assert warnings_of(anything, (700, 1000)) == ["The photo was scaled down for the model, because its longest side may have 512 pixels."]
    short = anything.model_copy(update={"longest": 100})
    assert warnings_of(short, (70, 200)) == ["The photo was scaled down for the model, because its longest side may have 100 pixels."]
    plus = multiples.model_copy(update={"remainder": 12, "smallest": 44})
    assert "are multiples of 32 plus 12 and at least 44" in warnings_of(plus, (50, 83))[0]
    why = "with a border, because the sides of the model's input are multiples of 32 and at least 32"
    border = f"lies in an input of 64×96 (height × width) {why}"
    assert warnings_of(multiples, (50, 83)) == [f"The photo {border}."]
    assert warnings_of(multiples, (64, 96), (50, 83), (51, 84)) == [f"2 of 3 images: the photo {border}."]
    assert warnings_of(multiples, (16, 24)) == [
        "The photo was enlarged for the model, whose input has at least 32 pixels a side.",
        f"The photo lies in an input of 32×64 (height × width) {why}.",
    ]
    assert warnings_of(InputSpec(name="photo", height=32, width=32, channels=3), (700, 1000)) == []
