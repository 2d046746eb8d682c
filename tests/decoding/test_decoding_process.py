from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from decoding import decoder as decoder_module
from decoding.decoder import Decoder
from schemas.errors import InternalError, InvalidImage, UnsupportedFormat
from tests.decoding.image_files import LIMITS, PIXELS, saved
from tests.wait import wait_until


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
        os.kill(dead, signal.SIGSTOP)  # it stays in the middle of its work until it is killed
        wait_until(lambda: state_of(dead) == "T")
        waiting = pool.submit(decoder.decode, content, LIMITS)
        wait_until(lambda: decoder._children[0]._images == 2)
        os.kill(dead, signal.SIGKILL)
        np.testing.assert_array_equal(waiting.result(60), PIXELS)
        assert child_of(decoder) != dead


def test_an_image_that_ends_its_child_each_time_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    mortal = "import sys\nsys.stdout.buffer.write(b'R')\nsys.stdout.buffer.flush()\nsys.stdin.buffer.read(50)\nsys.exit(139)\n"
    monkeypatch.setattr(decoder_module, "_PROGRAM", mortal)
    with Decoder() as decoder, pytest.raises(InvalidImage, match="ended the decoding process twice"):
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


def test_a_child_that_cannot_start_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder_module, "_PROGRAM", "raise SystemExit(3)")
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
    """When the parent is killed, the kernel closes the child's stdin, as this test does."""
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


def test_what_libraries_write_about_damaged_files_stays_out_of_the_log() -> None:
    """libtiff writes to stderr that it finds a code which is not in the table yet. Only a pipe shows this: a decoder cannot write files."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    content = bytearray(saved(Image.fromarray(pixels), "TIFF", compression="tiff_lzw"))
    content[300:1200] = b"\xff" * 900
    program = """
import sys
from decoding.decoder import Decoder
from schemas.errors import InvalidImage
from schemas.images import ImageLimits
with Decoder() as decoder:
    try: decoder.decode(sys.stdin.buffer.read(), ImageLimits(formats=("TIFF",)))
    except InvalidImage as error: print("refused")
"""
    run = subprocess.run([sys.executable, "-c", program], input=content, capture_output=True, check=True)
    assert (run.stdout, run.stderr) == (b"refused\n", b"")
