"""The program of a decoding process. An image that crashes it or hangs it harms no other process.

It needs only Pillow and, for HEIC files, pillow-heif.

It reads requests from stdin and writes answers to stdout. A message is the length of its header and of its body (`>IQ`), the header
in JSON, and the body. A request's header holds the limits, and its body is the image file. An answer's header holds `height` and
`width`, and its body is the RGB pixels; or its header holds `error`, the error's `detail` and other arguments, and its body is empty.
"""

from __future__ import annotations

import importlib
import importlib.util
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
TRANSPOSE_FOR_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SIGNATURES = {
    "JPEG": (b"\xff\xd8\xff",),
    "PNG": (b"\x89PNG\r\n\x1a\n",),
    "GIF": (b"GIF87a", b"GIF89a"),
    "BMP": (b"BM",),
    "WEBP": (b"RIFF",),
    "TIFF": (b"II*\x00", b"MM\x00*"),
}
BRANDS = {
    "AVIF": (b"avif", b"avis"),
    "HEIF": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
}


class ImageRefused(Exception):
    """The image is refused. `error` names a class of `schemas.errors`, and `arguments` are the arguments of its constructor."""

    def __init__(self, error: str, detail: str, **arguments: str) -> None:
        super().__init__(detail)
        self.error = error
        self.arguments = {"detail": detail, **arguments}


def decode(content: bytes, formats: list[str], max_pixels: int, max_side: int, width: int | None = None) -> Image.Image:
    """Decode the first frame of an image file. If `width` is given and the upright image is wider, make it smaller.

    Args:
        content: the image file.
        formats: Pillow's names of the allowed formats.
        max_pixels: the largest allowed number of pixels.
        max_side: the largest allowed width and height, in pixels.
        width: the largest width of the answer, in pixels. The aspect ratio stays, up to the rounding of the height.

    Returns:
        The image in 8-bit RGB, upright as its EXIF orientation says, with transparent parts over white.

    Raises:
        ImageRefused: the file has another format, is damaged, or is too large.
    """
    image = _opened(content, formats)
    full_width, full_height = image.size
    if full_width * full_height > max_pixels or max(full_width, full_height) > max_side:
        raise ImageRefused(
            "ImageTooLarge",
            f"The image has {full_width:,} × {full_height:,} pixels. At most {max_pixels:,} pixels in total and {max_side:,} on a side are "
            "allowed.",
            allowed=f"at most {max_pixels} pixels, {max_side} on a side",
            got=f"{full_width} x {full_height}",
        )
    Image.MAX_IMAGE_PIXELS = max_pixels
    kind = image.format
    orientation = _orientation(image)
    try:
        image.load()
        image = _rgb(image)
    except MemoryError:
        raise ImageRefused(
            "ImageTooLarge", f"Decoding this {kind} file of {full_width:,} × {full_height:,} pixels takes more memory than allowed."
        ) from None
    except Exception as error:
        raise ImageRefused(
            "InvalidImage", f"The {kind} file of {full_width:,} × {full_height:,} pixels is damaged or cut short: {error}."
        ) from None
    if orientation in TRANSPOSE_FOR_ORIENTATION:
        image = image.transpose(TRANSPOSE_FOR_ORIENTATION[orientation])
    return image if width is None else narrowed(image, width)


def narrowed(image: Image.Image, width: int) -> Image.Image:
    """Return an image of at most this width, in pixels. The aspect ratio stays, up to the rounding of the height."""
    if image.width <= width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def _opened(content: bytes, formats: list[str]) -> Image.Image:
    # Only the header is read here. The caller checks the dimensions, with a better message than Pillow's bomb error.
    Image.MAX_IMAGE_PIXELS = None
    if "HEIF" in formats and "HEIF" not in Image.OPEN and _claims(content, BRANDS["HEIF"]):
        raise ImageRefused(
            "UnsupportedFormat",
            "This is a HEIF (HEIC) file, and the package pillow-heif, which decodes it, is not installed. Send a JPEG or PNG file, or let "
            "the operator install the extra where the service and the workers run: `pip install 'convscope[heif]'`.",
            allowed=", ".join(name for name in formats if name != "HEIF"),
            got="HEIF",
        )
    try:
        return Image.open(io.BytesIO(content), formats=[name for name in formats if name in Image.OPEN])
    except Exception as error:
        looks_like = [name for name, signatures in SIGNATURES.items() if name in formats and content.startswith(signatures)]
        looks_like += [name for name, brands in BRANDS.items() if name in formats and _claims(content, brands)]
        if looks_like:
            why = "" if isinstance(error, UnidentifiedImageError) else f": {error}"
            name = f"an {looks_like[0]}" if looks_like[0] == "AVIF" else f"a {looks_like[0]}"
            raise ImageRefused("InvalidImage", f"The file begins like {name} file, but its header cannot be read{why}.") from None
        raise ImageRefused(
            "UnsupportedFormat",
            f"The file's content is none of {', '.join(formats)}. It has {len(content):,} bytes and begins with {content[:12]!r}.",
            allowed=", ".join(formats),
            got=repr(content[:12]),
        ) from None


def _claims(content: bytes, brands: tuple[bytes, ...]) -> bool:
    """Return whether the first box of a file claims one of the brands."""
    return content[4:8] == b"ftyp" and any(content[start : start + 4] in brands for start in (8, *range(16, 64, 4)))


def _orientation(image: Image.Image) -> int:
    try:
        return image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:
        return 1  # the pixels can be good although the metadata is broken


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        # `convert` would clip 16-bit grey at 255. Keep the high byte, as libpng's strip_16 does.
        high = 1 if image.mode in ("I;16", "I;16L") else 0
        image = Image.frombytes("L", image.size, image.tobytes()[high::2])
    if image.mode in ("I", "F"):
        raise ValueError("it has 32 bits per channel, and 8 or 16 are allowed")
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
    """Answer requests until stdin is closed."""
    while len(lengths := requests.read(LENGTHS.size)) == LENGTHS.size:
        header_length, content_length = LENGTHS.unpack(lengths)
        header = json.loads(requests.read(header_length))
        content = requests.read(content_length)
        # This limit ends a decoder that still computes after its parent has died.
        spent = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
        _set_limit(resource.RLIMIT_CPU, int(spent + header.pop("seconds")) + 2)
        try:
            image = decode(content, **header)
            body = image.tobytes()
        except ImageRefused as refusal:
            _answer(answers, {"error": refusal.error, **refusal.arguments})
        except MemoryError:
            _answer(answers, {"error": "ImageTooLarge", "detail": "Decoding this image takes more memory than allowed."})
        else:
            _answer(answers, {"height": image.height, "width": image.width}, body)


def _register_heif() -> None:
    """Let Pillow open HEIF files, if the extra `heif` is installed. One thread decodes, within the limits of this process."""
    if importlib.util.find_spec("pillow_heif") is None:
        return
    pillow_heif = importlib.import_module("pillow_heif")
    pillow_heif.options.DECODE_THREADS = 1
    pillow_heif.register_heif_opener(thumbnails=False)


def _set_limit(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    resource.setrlimit(kind, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))


def main() -> None:
    """Serve requests. The first command line argument is the number of bytes of address space that this process may use."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C makes the worker drain, and it still decodes then
    _set_limit(resource.RLIMIT_AS, int(sys.argv[1]))
    _set_limit(resource.RLIMIT_CORE, 0)
    _set_limit(resource.RLIMIT_FSIZE, 0)
    warnings.simplefilter("ignore")
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.init()
    _register_heif()
    sys.stdout.buffer.write(READY)
    sys.stdout.buffer.flush()
    serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
