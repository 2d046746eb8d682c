"""The process that decodes, run as a script with nothing but Pillow: an image that crashes, hangs or swells takes only this along.

Requests on stdin, answers on stdout, each a header in JSON and a body of bytes, lengths first (`>IQ`). A request's header
holds the limits, its body the file; an answer's header holds `height` and `width` with an RGB body, or `error` and its words.
"""

from __future__ import annotations

import io
import json
import resource
import signal
import struct
import sys
import warnings
from typing import BinaryIO

from PIL import Image, ImageFile, UnidentifiedImageError

LENGTHS = struct.Struct(">IQ")
READY = b"R"
EXIF_ORIENTATION = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
BEGINNINGS = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    "WEBP": (b"RIFF",),
    "TIFF": (b"II*\x00", b"MM\x00*"),
}


class Refused(Exception):
    """The image is refused: `error` is the name of a class in `schemas.errors`, `words` its arguments."""

    def __init__(self, error: str, detail: str, **words: str) -> None:
        super().__init__(detail)
        self.error = error
        self.words = {"detail": detail, **words}


def decode(content: bytes, formats: list[str], max_pixels: int, max_side: int) -> Image.Image:
    """The first frame, upright, 8-bit RGB, transparency over white."""
    image = _opened(content, formats)
    width, height = image.size
    if width * height > max_pixels or max(width, height) > max_side:
        raise Refused(
            "ImageTooLarge",
            f"The image is {width:,} × {height:,} pixels; allowed are {max_pixels:,} pixels in all and {max_side:,} on a side.",
            allowed=f"at most {max_pixels} pixels, {max_side} on a side",
            got=f"{width} x {height}",
        )
    Image.MAX_IMAGE_PIXELS = max_pixels
    kind = image.format
    orientation = _orientation(image)
    try:
        image.load()
        image = _rgb(image)
    except MemoryError:
        raise Refused("ImageTooLarge", f"Decoding this {kind} of {width:,} × {height:,} pixels takes more memory than allowed.") from None
    except Exception as error:
        raise Refused("InvalidImage", f"The {kind} of {width:,} × {height:,} pixels is damaged or cut short: {error}.") from None
    return image.transpose(UPRIGHT[orientation]) if orientation in UPRIGHT else image


def _opened(content: bytes, formats: list[str]) -> Image.Image:
    # The header alone is read here; its dimensions are judged by the caller, with better words than Pillow's bomb error.
    Image.MAX_IMAGE_PIXELS = None
    try:
        return Image.open(io.BytesIO(content), formats=formats)
    except Exception as error:
        looks_like = [name for name, beginnings in BEGINNINGS.items() if name in formats and content.startswith(beginnings)]
        if looks_like:
            why = "" if isinstance(error, UnidentifiedImageError) else f": {error}"
            raise Refused("InvalidImage", f"The file begins like a {looks_like[0]} but its header cannot be read{why}.") from None
        raise Refused(
            "UnsupportedFormat",
            f"The file is none of {', '.join(formats)}: its content decides, not its name. It has {len(content):,} bytes "
            f"and begins with {content[:12]!r}.",
            allowed=", ".join(formats),
            got=repr(content[:12]),
        ) from None


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:
        return 1  # broken metadata is no reason to refuse good pixels


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # `convert` would cut 16-bit grey off at 255: keep the high byte, as libpng's strip_16 does.
        high = 1 if image.mode in ("I;16", "I;16L") else 0
        image = Image.frombytes("L", image.size, image.tobytes()[high::2])
    if image.mode in ("I", "F"):
        raise ValueError("it has 32-bit samples; give it 8 or 16 bits a channel")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        white.alpha_composite(image)
        image = white
    return image if image.mode == "RGB" else image.convert("RGB")


def _answer(out: BinaryIO, header: dict[str, object], body: bytes = b"") -> None:
    encoded = json.dumps(header).encode()
    out.write(LENGTHS.pack(len(encoded), len(body)) + encoded)
    out.write(body)
    out.flush()


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answers requests until there are no more."""
    while len(lengths := requests.read(LENGTHS.size)) == LENGTHS.size:
        header_length, content_length = LENGTHS.unpack(lengths)
        header = json.loads(requests.read(header_length))
        content = requests.read(content_length)
        # Ends a decoder that spins on after its parent has died.
        spent = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        _limit(resource.RLIMIT_CPU, int(spent + header.pop("seconds")) + 2)
        try:
            image = decode(content, **header)
            body = image.tobytes()
        except Refused as refusal:
            _answer(answers, {"error": refusal.error, **refusal.words})
        except MemoryError:
            _answer(answers, {"error": "ImageTooLarge", "detail": "Decoding this image takes more memory than allowed."})
        else:
            _answer(answers, {"height": image.height, "width": image.width}, body)


def _limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the worker's to handle; it drains, and decodes while it does
    _limit(resource.RLIMIT_AS, int(sys.argv[1]))
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_FSIZE, 0)
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.init()
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
