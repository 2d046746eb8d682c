from __future__ import annotations

import io
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from rendering import colormaps, encode


def test_png_keeps_every_pixel_and_the_order_of_colours() -> None:
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8)
    with Image.open(io.BytesIO(encode.png(image))) as read:
        assert (read.format, read.mode, read.size) == ("PNG", "RGB", (7, 5))
        np.testing.assert_array_equal(np.asarray(read), image)


def test_png_of_a_view() -> None:
    image = np.random.default_rng(0).integers(0, 256, (8, 9, 3), np.uint8)[::2, 1:6, ::-1]
    with Image.open(io.BytesIO(encode.png(image))) as read:
        np.testing.assert_array_equal(np.asarray(read), image)


def test_png_bytes_are_the_same_each_time() -> None:
    image = np.random.default_rng(1).integers(0, 256, (64, 48, 3), np.uint8)
    assert encode.png(image) == encode.png(image.copy())


@pytest.mark.parametrize(
    "wrong", [np.zeros((3, 3, 3), np.float32), np.zeros((3, 3), np.uint8), np.zeros((3, 3, 4), np.uint8), np.zeros((0, 3, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        encode.png(wrong)


def test_an_animation_keeps_its_frames_and_their_times() -> None:
    """Flat colours come through what is not lossless, to a few levels."""
    levels = (10, 120, 250)
    frames = np.stack([np.full((24, 40, 3), level, np.uint8) for level in levels])
    frames[:, :, :20, 1:] = 0
    content = encode.webp_animation(frames, (70, 70, 900))
    assert content == encode.webp_animation(frames.copy(), (70, 70, 900))
    with Image.open(io.BytesIO(content)) as read:
        assert (read.format, read.size, read.n_frames, read.info["loop"]) == ("WEBP", (40, 24), 3, 0)
        for number, (expected, milliseconds) in enumerate(zip(frames, (70, 70, 900), strict=True)):
            read.seek(number)
            shown = np.asarray(read.convert("RGB")).astype(int)
            assert read.info["duration"] == milliseconds
            assert np.abs(shown - expected)[4:20, [*range(4, 16), *range(24, 36)]].max() <= 8


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((2, 3, 3, 3), np.float32), np.zeros((3, 3, 3), np.uint8), np.zeros((2, 3, 3, 4), np.uint8), np.zeros((0, 3, 3, 3), np.uint8)],
)
def test_what_is_no_animation_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        encode.webp_animation(wrong, (70, 900))


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<i8", "|u1", "|b1"])
def test_npy_is_little_endian_and_in_c_order(dtype: str) -> None:
    array = np.asfortranarray(np.arange(6).reshape(2, 3).astype(dtype))
    content = encode.npy(array)
    read = np.load(io.BytesIO(content), allow_pickle=False)
    np.testing.assert_array_equal(read, array)
    assert read.dtype.str in ("<f4", "<i8", "|u1", "|b1")
    assert b"'fortran_order': False" in content


def test_npy_never_pickles() -> None:
    with pytest.raises(ValueError, match="allow_pickle"):
        encode.npy(np.array([object()]))


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 700, 3), (700, 1, 3), (2, 9, 3), (9, 2, 3), (301, 452, 3)])
def test_png_files_are_read_alike_by_opencv_and_pillow(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(2).integers(0, 256, shape, np.uint8)
    content = encode.png(image)
    np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR_RGB), image)
    with Image.open(io.BytesIO(content)) as read:
        read.verify()
    with Image.open(io.BytesIO(content)) as read:
        np.testing.assert_array_equal(np.asarray(read), image)


def test_a_png_file_by_hand() -> None:
    """Two rows of one pixel: each row has the filter Up (2), and the second holds the difference to the first, modulo 256."""
    content = encode.png(np.array([[[10, 20, 30]], [[11, 18, 30]]], np.uint8))
    assert content[:33] == (
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\1\0\0\0\2\x08\x02\0\0\0"
        + zlib.crc32(b"IHDR\0\0\0\1\0\0\0\2\x08\x02\0\0\0").to_bytes(4, "big")
    )
    size = int.from_bytes(content[33:37], "big")
    assert zlib.decompress(content[41 : 41 + size]) == bytes([2, 10, 20, 30, 2, 1, 254, 0])
    assert content[-12:] == b"\0\0\0\0IEND\xaeB\x60\x82"


def test_a_smooth_picture_is_no_larger_than_with_opencv() -> None:
    ramp = np.linspace(0, 255, 600)
    image = np.rint(np.stack([np.add.outer(ramp, ramp) / 2, np.multiply.outer(ramp, ramp) / 255, np.tile(ramp, (600, 1))], -1)).astype(
        np.uint8
    )
    settings = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP)
    assert len(encode.png(image)) <= 1.1 * len(cv2.imencode(".png", image, settings)[1])


def filter_types(png: bytes) -> set[int]:
    """Return the filter types of a PNG file's rows, read from its deflate stream."""
    width = int.from_bytes(png[16:20], "big")
    rows = np.frombuffer(zlib.decompress(png[41 : 41 + int.from_bytes(png[33:37], "big")]), np.uint8)
    return set(rows.reshape(-1, 1 + 3 * width)[:, 0].tolist())


@pytest.mark.parametrize("height", [16, 129, 255, 256, 257, 700])
@pytest.mark.parametrize("kind", ["colours of a map", "photo"])
def test_colours_of_a_map_have_no_filter_and_photos_have_the_filter_up(height: int, kind: str) -> None:
    rng = np.random.default_rng(3)
    if kind == "photo":
        smooth = cv2.GaussianBlur(rng.normal(size=(height, 300, 3)).astype(np.float32), (0, 0), 3)
        image = np.clip(128 + 400 * smooth + rng.normal(size=smooth.shape), 0, 255).astype(np.uint8)
    else:
        image = colormaps.apply(rng.integers(0, 256, (height, 300), np.uint8), "viridis")
    content = encode.png(image)
    assert filter_types(content) == {2 if kind == "photo" else 0}
    with Image.open(io.BytesIO(content)) as read:
        np.testing.assert_array_equal(np.asarray(read), image)


def test_a_grid_of_small_maps_is_smaller_than_with_opencv() -> None:
    maps = np.random.default_rng(3).integers(0, 256, (300, 300), np.uint8).repeat(2, axis=0).repeat(2, axis=1)
    image = colormaps.apply(maps, "viridis")
    settings = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP)
    assert len(encode.png(image)) <= 0.7 * len(cv2.imencode(".png", image, settings)[1])
