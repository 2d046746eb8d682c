from __future__ import annotations

import io
import os
import signal
import struct
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from schemas.errors import ImageTooLarge, InternalError, InvalidImage, UnsupportedFormat
from schemas.images import ImageLimits
from tests.wait import wait_until
from workers.decoding import decoder as decoder_module
from workers.decoding.decoder import Decoder

LIMITS = ImageLimits()
CAT = Path(__file__).parents[3] / "samples" / "cat.jpg"
# 3 high, 5 wide, every pixel another.
PIXELS = (np.arange(45).reshape(3, 5, 3) * 5 + 10).astype(np.uint8)


@pytest.fixture(scope="module")
def decoder() -> Iterator[Decoder]:
    with Decoder() as decoder:
        yield decoder


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_file(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", zlib.compress(rows, 9)) + png_chunk(b"IEND", b"")


@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("BMP", {}), ("WEBP", {"lossless": True})])
def test_lossless_formats_keep_every_pixel(decoder: Decoder, kind: str, options: dict[str, Any]) -> None:
    made = decoder.decode(saved(Image.fromarray(PIXELS), kind, **options), LIMITS)
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(made, PIXELS)


def test_jpeg(decoder: Decoder) -> None:
    with Image.open(CAT) as image:
        expected = np.asarray(image.convert("RGB"))
    made = decoder.decode(CAT.read_bytes(), LIMITS)
    assert made.shape == (300, 451, 3)
    np.testing.assert_array_equal(made, expected)


def test_grey_becomes_three_equal_channels(decoder: Decoder) -> None:
    grey = PIXELS[..., 0]
    for image in (Image.fromarray(grey), Image.fromarray(grey > 60).convert("1")):
        made = decoder.decode(saved(image, "PNG"), LIMITS)
        np.testing.assert_array_equal(made, np.repeat(np.asarray(image.convert("L"))[..., None], 3, axis=2))


def test_palette(decoder: Decoder) -> None:
    image = Image.fromarray(np.array([[0, 1, 2]], np.uint8), "L").convert("P")
    image.putpalette([255, 0, 0, 0, 255, 0, 7, 8, 9])
    np.testing.assert_array_equal(decoder.decode(saved(image, "PNG"), LIMITS), [[[255, 0, 0], [0, 255, 0], [7, 8, 9]]])
    transparent = decoder.decode(saved(image, "PNG", transparency=1), LIMITS)
    np.testing.assert_array_equal(transparent, [[[255, 0, 0], [255, 255, 255], [7, 8, 9]]])


def test_16_bit_grey_is_scaled_and_not_cut_off(decoder: Decoder) -> None:
    values = np.array([[0, 255, 256, 300], [0x7FFF, 0x8000, 0xFF00, 0xFFFF]], np.uint16)
    made = decoder.decode(saved(Image.fromarray(values), "PNG"), LIMITS)
    np.testing.assert_array_equal(made[..., 0], [[0, 0, 1, 1], [127, 128, 255, 255]])
    np.testing.assert_array_equal(made[..., 0], made[..., 2])


def test_16_bit_colour_and_grey_with_alpha(decoder: Decoder) -> None:
    colour = struct.pack(">B6H", 0, 0x1234, 0xFFFF, 0x0080, 0x8000, 0x00FF, 0x0100)
    np.testing.assert_array_equal(decoder.decode(png_file(2, 1, 16, 2, colour), LIMITS), [[[0x12, 0xFF, 0], [0x80, 0, 1]]])
    grey = struct.pack(">B4H", 0, 0x6400, 0xFFFF, 0x6400, 0)
    np.testing.assert_array_equal(decoder.decode(png_file(2, 1, 16, 4, grey), LIMITS), [[[100] * 3, [255] * 3]])


def test_alpha_lies_over_white(decoder: Decoder) -> None:
    rgba = np.array([[[200, 100, 0, 255], [200, 100, 0, 0], [200, 100, 0, 51]]], np.uint8)
    made = decoder.decode(saved(Image.fromarray(rgba), "PNG"), LIMITS)
    # 51/255 is a fifth: 0.2 · (200, 100, 0) + 0.8 · 255.
    np.testing.assert_array_equal(made, [[[200, 100, 0], [255, 255, 255], [244, 224, 204]]])


def test_cmyk_jpeg(decoder: Decoder) -> None:
    cmyk = np.zeros((16, 32, 4), np.uint8)
    cmyk[:, :16] = [0, 255, 255, 0]  # red
    cmyk[:, 16:] = [255, 0, 0, 0]  # cyan
    made = decoder.decode(saved(Image.frombytes("CMYK", (32, 16), cmyk.tobytes()), "JPEG", quality=100), LIMITS).astype(int)
    assert np.abs(made[:, :12] - [255, 0, 0]).max() <= 3
    assert np.abs(made[:, 20:] - [0, 255, 255]).max() <= 3


# How the stored rows and columns of a 2×3 picture [[0, 1, 2], [3, 4, 5]] stand upright, by the Exif specification, 4.6.4 A.
UPRIGHT = {
    1: [[0, 1, 2], [3, 4, 5]],
    2: [[2, 1, 0], [5, 4, 3]],
    3: [[5, 4, 3], [2, 1, 0]],
    4: [[3, 4, 5], [0, 1, 2]],
    5: [[0, 3], [1, 4], [2, 5]],
    6: [[3, 0], [4, 1], [5, 2]],
    7: [[5, 2], [4, 1], [3, 0]],
    8: [[2, 5], [1, 4], [0, 3]],
}


@pytest.mark.parametrize("orientation", UPRIGHT)
def test_exif_orientation(decoder: Decoder, orientation: int) -> None:
    stored = np.array(UPRIGHT[1], np.uint8) * 40
    exif = Image.Exif()
    exif[0x0112] = orientation
    blocks = stored.repeat(8, axis=0).repeat(8, axis=1)  # one JPEG block a cell: exact
    content = saved(Image.fromarray(blocks), "JPEG", quality=100, exif=exif)
    made = decoder.decode(content, LIMITS)[4::8, 4::8, 0]
    assert np.abs(made.astype(int) - np.array(UPRIGHT[orientation]) * 40).max() <= 1


def test_broken_exif_does_not_refuse_good_pixels(decoder: Decoder) -> None:
    content = saved(Image.fromarray(PIXELS), "JPEG", exif=b"Exif\x00\x00MM\x00*\x00\x00\xff\xff garbage")
    assert decoder.decode(content, LIMITS).shape == (3, 5, 3)


def test_first_frame_of_an_animation(decoder: Decoder) -> None:
    frames = [Image.fromarray(np.full((4, 6, 3), value, np.uint8)) for value in (255, 0, 128)]
    for kind in ("GIF", "WEBP"):
        content = saved(frames[0], kind, save_all=True, append_images=frames[1:])
        np.testing.assert_array_equal(decoder.decode(content, LIMITS), np.full((4, 6, 3), 255))


def test_text_named_png(decoder: Decoder) -> None:
    with pytest.raises(UnsupportedFormat, match=r"none of JPEG, PNG, WEBP, GIF, BMP.*34 bytes.*this is a te") as caught:
        decoder.decode(b"this is a text file named cat.png\n", LIMITS)
    assert caught.value.allowed == "JPEG, PNG, WEBP, GIF, BMP"


def test_empty_file(decoder: Decoder) -> None:
    with pytest.raises(UnsupportedFormat, match="0 bytes"):
        decoder.decode(b"", LIMITS)


def test_tiff_only_when_turned_on(decoder: Decoder) -> None:
    content = saved(Image.fromarray(PIXELS), "TIFF")
    with pytest.raises(UnsupportedFormat):
        decoder.decode(content, LIMITS)
    np.testing.assert_array_equal(decoder.decode(content, LIMITS.model_copy(update={"formats": ("TIFF",)})), PIXELS)


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "BMP", "WEBP"])
def test_what_is_cut_short_is_refused(decoder: Decoder, kind: str, share: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    content = saved(Image.fromarray(noise), kind)
    with pytest.raises(InvalidImage, match=rf"{kind}") as caught:
        decoder.decode(content[: int(len(content) * share)], LIMITS)
    assert "/" not in caught.value.detail  # no path, no object's address


def test_a_signature_alone_is_a_broken_image(decoder: Decoder) -> None:
    with pytest.raises(InvalidImage, match="begins like a PNG but its header cannot be read"):
        decoder.decode(b"\x89PNG\r\n\x1a\n" + b"\x00" * 40, LIMITS)


def test_a_decompression_bomb_is_refused_by_its_header(decoder: Decoder) -> None:
    side = 30_000
    packer = zlib.compressobj(9)
    rows = b"".join(packer.compress(b"\x00" * (side // 8 + 1)) for _ in range(side)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", rows) + png_chunk(b"IEND", b"")
    assert len(content) < 200_000
    with pytest.raises(ImageTooLarge, match=r"30,000 × 30,000 pixels; allowed are 25,000,000") as caught:
        decoder.decode(content, LIMITS)
    assert caught.value.got == "30000 x 30000"


def test_the_longest_side_is_bounded(decoder: Decoder) -> None:
    with pytest.raises(ImageTooLarge, match="16,385 × 1"):
        decoder.decode(saved(Image.new("L", (16_385, 1)), "PNG"), LIMITS)


def test_bytes_are_bounded(decoder: Decoder) -> None:
    with pytest.raises(ImageTooLarge, match="46 bytes; allowed are 45"):
        decoder.decode(b"x" * 46, LIMITS.model_copy(update={"max_bytes": 45}))


def test_the_largest_image_allowed_fits_the_memory(decoder: Decoder) -> None:
    image = Image.new("RGBA", (5000, 5000), (0, 0, 0, 51))
    exif = Image.Exif()
    exif[0x0112] = 6
    made = decoder.decode(saved(image, "PNG", compress_level=1, exif=exif), LIMITS)
    assert made.shape == (5000, 5000, 3)
    assert made[17, 4000].tolist() == [204, 204, 204]


def test_memory_is_bounded() -> None:
    content = saved(Image.new("RGB", (4000, 4000)), "PNG")
    with Decoder(memory_bytes=100 << 20) as decoder:
        with pytest.raises(ImageTooLarge, match="memory"):
            decoder.decode(content, LIMITS)
        np.testing.assert_array_equal(decoder.decode(saved(Image.fromarray(PIXELS), "PNG"), LIMITS), PIXELS)


def child_of(decoder: Decoder) -> int:
    process = decoder._children[0]._process
    assert process is not None
    return process.pid


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_one_child_decodes_many_images_and_is_then_replaced() -> None:
    content = saved(Image.fromarray(PIXELS), "PNG")
    with Decoder(images_per_child=3) as decoder:
        seen = []
        for _ in range(7):
            decoder.decode(content, LIMITS)
            seen.append(child_of(decoder))
        assert seen[0] == seen[1] == seen[2] != seen[3] == seen[4] == seen[5] != seen[6]
        last = child_of(decoder)
    assert not Path(f"/proc/{last}").exists()


def test_a_refused_image_costs_no_child(decoder: Decoder) -> None:
    decoder.decode(saved(Image.fromarray(PIXELS), "PNG"), LIMITS)
    before = child_of(decoder)
    with pytest.raises(UnsupportedFormat):
        decoder.decode(b"no image", LIMITS)
    assert child_of(decoder) == before


def test_a_child_killed_between_images_is_replaced() -> None:
    content = saved(Image.fromarray(PIXELS), "PNG")
    with Decoder() as decoder:
        decoder.decode(content, LIMITS)
        dead = child_of(decoder)
        os.kill(dead, signal.SIGKILL)
        wait_until(lambda: state_of(dead) == "Z")
        np.testing.assert_array_equal(decoder.decode(content, LIMITS), PIXELS)
        assert child_of(decoder) != dead


def test_a_child_killed_in_the_middle_is_replaced_and_the_image_decoded() -> None:
    content = saved(Image.fromarray(PIXELS), "PNG")
    with Decoder(seconds=60) as decoder, ThreadPoolExecutor(1) as pool:
        decoder.decode(content, LIMITS)
        dead = child_of(decoder)
        os.kill(dead, signal.SIGSTOP)  # in the middle for as long as it takes to kill it
        wait_until(lambda: state_of(dead) == "T")
        waiting = pool.submit(decoder.decode, content, LIMITS)
        wait_until(lambda: decoder._children[0]._images == 2)
        os.kill(dead, signal.SIGKILL)
        np.testing.assert_array_equal(waiting.result(60), PIXELS)
        assert child_of(decoder) != dead


def test_an_image_that_ends_its_child_each_time_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mortal = tmp_path / "child.py"
    mortal.write_text("import sys\nsys.stdout.buffer.write(b'R')\nsys.stdout.buffer.flush()\nsys.stdin.buffer.read(50)\nsys.exit(139)\n")
    monkeypatch.setattr(decoder_module, "CHILD", mortal)
    with Decoder() as decoder, pytest.raises(InvalidImage, match="ended its process, twice"):
        decoder.decode(saved(Image.fromarray(PIXELS), "PNG"), LIMITS)


def test_a_hanging_child_is_stopped_in_time_and_replaced() -> None:
    content = saved(Image.fromarray(PIXELS), "PNG")
    with Decoder(seconds=1) as decoder:
        decoder.decode(content, LIMITS)
        hanging = child_of(decoder)
        os.kill(hanging, signal.SIGSTOP)
        with pytest.raises(InvalidImage, match=r"more than 1 s"):
            decoder.decode(content, LIMITS)
        assert not Path(f"/proc/{hanging}").exists()
    with Decoder() as decoder:
        np.testing.assert_array_equal(decoder.decode(content, LIMITS), PIXELS)


def test_a_child_that_cannot_start_is_an_internal_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "child.py"
    broken.write_text("raise SystemExit(3)\n")
    monkeypatch.setattr(decoder_module, "CHILD", broken)
    with Decoder() as decoder, pytest.raises(InternalError, match=r"could not be started \(exit status 3\)"):
        decoder.decode(b"", LIMITS)


def test_many_threads_at_once() -> None:
    images = [np.full((20 + k, 30, 3), 5 * k, np.uint8) for k in range(24)]
    files = [saved(Image.fromarray(image), "PNG") for image in images]
    ready = threading.Barrier(6)

    def decode(start: int) -> list[np.ndarray]:
        ready.wait()
        return [decoder.decode(files[k], LIMITS) for k in range(start, 24, 6)]

    with Decoder(children=2, images_per_child=5) as decoder, ThreadPoolExecutor(6) as pool:
        made = list(pool.map(decode, range(6)))
    for start, arrays in enumerate(made):
        for array, k in zip(arrays, range(start, 24, 6), strict=True):
            np.testing.assert_array_equal(array, images[k])


def test_the_child_imports_no_numpy_and_no_tensorflow(decoder: Decoder) -> None:
    decoder.decode(saved(Image.fromarray(PIXELS), "PNG"), LIMITS)
    mapped = Path(f"/proc/{child_of(decoder)}/maps").read_text()
    assert "PIL" in mapped
    for library in ("numpy", "tensorflow", "cv2"):
        assert library not in mapped


def test_a_child_ends_with_its_parent(decoder: Decoder) -> None:
    """A parent that is killed leaves the child with its requests at an end."""
    decoder.decode(saved(Image.fromarray(PIXELS), "PNG"), LIMITS)
    process = decoder._children[0]._process
    assert process is not None
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(30) == 0


def test_closed_decoders_can_be_used_again() -> None:
    decoder = Decoder()
    content = saved(Image.fromarray(PIXELS), "PNG")
    decoder.decode(content, LIMITS)
    decoder.close()
    np.testing.assert_array_equal(decoder.decode(content, LIMITS), PIXELS)
    decoder.close()
