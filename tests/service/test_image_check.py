"""The check of an image file's header, and the decoding of base64."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from schemas.errors import BodyTooLarge, ImageTooLarge, InvalidImage, UnsupportedFormat
from schemas.images import ImageLimits
from service.image_check import check_image, decode_base64
from tests.service.fake_worker import encoded

PIXELS = np.random.default_rng(4).integers(0, 256, (31, 47, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    "kind",
    [{"lossless": True}, {"quality": 50}, {"save_all": True, "append_images": [Image.fromarray(PIXELS)]}],
    ids=["lossless", "lossy", "animated"],
)
def test_a_webp_canvas_is_measured_before_it_is_allocated(kind: dict[str, object]) -> None:
    buffer = io.BytesIO()
    Image.fromarray(PIXELS).save(buffer, "WEBP", **kind)
    header = check_image(buffer.getvalue(), ImageLimits(max_side=47))
    assert (header.width, header.height) == (47, 31)
    with pytest.raises(ImageTooLarge) as raised:
        check_image(buffer.getvalue()[:30], ImageLimits(max_side=46))
    assert raised.value.got == "47 × 31"


def test_tiff_is_accepted_if_it_is_turned_on() -> None:
    tiff = encoded(PIXELS, "TIFF")
    with pytest.raises(UnsupportedFormat, match="must be one of JPEG, PNG, WEBP, GIF, BMP"):
        check_image(tiff, ImageLimits())
    header = check_image(tiff, ImageLimits(formats=("PNG", "TIFF")))
    assert (header.format, header.width, header.height) == ("TIFF", 47, 31)


def test_no_prefix_of_a_good_file_breaks_the_check() -> None:
    for image_format in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"):
        content = encoded(PIXELS, image_format)
        limits = ImageLimits(formats=(image_format,))
        for end in range(min(len(content), 700)):
            try:
                header = check_image(content[:end], limits)
            except (InvalidImage, UnsupportedFormat):
                continue
            assert (header.width, header.height) == (47, 31)


def test_a_damaged_header_is_an_invalid_image_or_another_size() -> None:
    random = np.random.default_rng(0)
    for image_format in ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF"):
        content = np.frombuffer(encoded(PIXELS, image_format), np.uint8)
        for _ in range(300):
            damaged = content.copy()
            damaged[random.integers(0, min(200, len(content)), 3)] = random.integers(0, 256, 3)
            try:
                check_image(damaged.tobytes(), ImageLimits(formats=(image_format,)))
            except (InvalidImage, UnsupportedFormat, ImageTooLarge):
                continue


@pytest.mark.parametrize("size", range(1, 9))
def test_base64_is_measured_before_it_is_decoded(size: int) -> None:
    content = bytes(range(size))
    text = base64.b64encode(content).decode()
    assert decode_base64(text, size, "/image/base64") == content
    with pytest.raises(BodyTooLarge) as raised:
        decode_base64(text, size - 1, "/image/base64")
    assert raised.value.got == f"{size} bytes"


@pytest.mark.parametrize("text", ["====", "abc", "ab\ncd", "_-8=", "é", "data:image/png;base64,AAA", "data:AAAA" + "A" * 300])
def test_text_that_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(InvalidImage) as raised:
        decode_base64(text, 1000, "/image/base64")
    assert raised.value.pointer == "/image/base64"
