"""Send a corpus of image files, and mutations of it, through the header check and the decoder: `python -m benchmarks.image_drill FOLDER`.

It prints how many files were answered with which status, and fails if one is answered with a 5xx, if a decoding process cannot be
started again, or if the memory of this process grows. `make drill-images` runs it.

Example: `make drill-images CORPUS=pillow/Tests/images MUTATIONS=10000` after the source distribution of Pillow was unpacked.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pillow_heif
import psutil
from PIL import Image, ImageCms

from decoding.decoder import Decoder
from schemas.errors import VisualizationError
from schemas.images import ImageLimits
from service.image_check import check_image, upright_size
from service.problems import status_of

MOST_GROWTH = 64 * 2**20
_KINDS = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF", "AVIF", "HEIF")
_LIMITS = ImageLimits(formats=_KINDS)
_THUMBNAIL = 16  # pixels
_FRAMES = 3


@dataclass(frozen=True)
class DrillResult:
    """The drill's counts of files by status (200 stands for a decoded image), and the bytes by which this process has grown."""

    statuses: Counter[int]
    growth: int

    @property
    def faults(self) -> list[str]:
        """The sentences that say how the promise was broken. They are empty if it holds."""
        found = [f"{count} files were answered with {status}" for status, count in sorted(self.statuses.items()) if status >= 500]
        return [*found, f"the memory has grown by {self.growth:,} bytes"] if self.growth > MOST_GROWTH else found


def own_files() -> list[bytes]:
    """Return small images of every format and several modes, with a colour profile and with frames, for a drill without a corpus."""
    pillow_heif.register_heif_opener()
    pixels = np.random.default_rng(1).integers(0, 256, (37, 53, 4), np.uint8)
    files: list[bytes] = []
    for kind in _KINDS:
        for mode in ("L", "RGB", "RGBA"):
            buffer = io.BytesIO()
            try:
                Image.fromarray(pixels).convert("RGB").convert("RGBA").convert(mode).save(buffer, kind)
            except (OSError, ValueError):  # this format has no such mode
                continue
            files.append(buffer.getvalue())
    frames = [Image.fromarray(np.roll(pixels, 20 * shift, axis=1)[..., :3]) for shift in range(5)]
    for kind in ("GIF", "WEBP", "PNG", "AVIF"):
        buffer = io.BytesIO()
        frames[0].save(buffer, kind, save_all=True, append_images=frames[1:])
        files.append(buffer.getvalue())
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for kind in ("JPEG", "PNG", "WEBP"):
        buffer = io.BytesIO()
        frames[0].save(buffer, kind, icc_profile=profile)
        files.append(buffer.getvalue())
    return files


def mutations(files: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield damaged copies: some bytes are changed, the end is cut off, a part is repeated, or zeros stand in its place."""
    random = np.random.default_rng(seed)
    for _ in range(count):
        content = bytearray(files[int(random.integers(len(files)))])
        start = int(random.integers(len(content)))
        part = slice(start, start + int(random.integers(1, 200)))
        match random.integers(4):
            case 0:
                for position in random.integers(0, min(len(content), 2000), random.integers(1, 20)):
                    content[position] = random.integers(256)
            case 1:
                del content[start:]
            case 2:
                content[part.start : part.start] = content[part] * int(random.integers(1, 50))
            case _:
                content[part] = bytes(len(content[part]))
        yield bytes(content)


def run_drill(files: Sequence[bytes], count: int, seed: int, seconds: float = 5.0) -> DrillResult:
    """Check and decode the files, then `count` mutations of them."""
    statuses: Counter[int] = Counter()
    with Decoder(seconds=seconds) as decoder:
        for content in files:
            statuses[_status(content, decoder)] += 1
        before = psutil.Process().memory_info().rss
        for content in mutations(files, count, seed):
            statuses[_status(content, decoder)] += 1
        return DrillResult(statuses, psutil.Process().memory_info().rss - before)


def _status(content: bytes, decoder: Decoder) -> int:
    """Return the status of the plain decoding, or a 5xx if any way in which a service or a worker reads a photo ends with one."""
    ways: list[Callable[[], object]] = [
        lambda: decoder.decode(content, _LIMITS),
        lambda: decoder.decode(content, _LIMITS, _THUMBNAIL),
        lambda: decoder.decode_full_depth(content, _LIMITS),
        lambda: decoder.decode_frames(content, _LIMITS, _FRAMES),
        lambda: upright_size(content, _LIMITS),
    ]
    try:
        check_image(content, _LIMITS)
    except VisualizationError as error:
        return status_of(error)
    first, *others = [_status_of(way) for way in ways]
    return max([first, *(status for status in others if status >= 500)])


def _status_of(way: Callable[[], object]) -> int:
    try:
        way()
    except VisualizationError as error:
        return status_of(error)
    return 200


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="A folder of image files. Without it, small files are made.")
    parser.add_argument("--mutations", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    files = own_files()
    if arguments.folder is not None:
        files = [path.read_bytes() for path in sorted(arguments.folder.rglob("*")) if path.is_file() and path.stat().st_size]
    result = run_drill(files, arguments.mutations, arguments.seed)
    lines = [f"{len(files)} files and {arguments.mutations} mutations"]
    lines += [f"{status}: {count}" for status, count in sorted(result.statuses.items())]
    lines += [f"memory: {result.growth / 2**20:+.1f} MiB", *(f"FAULT: {fault}" for fault in result.faults)]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if result.faults else 0


if __name__ == "__main__":
    sys.exit(main())
