"""Decode an image file, or the frames of an animation, with Pillow. This is done in a decoding process only.

It needs only Pillow, pillow-heif for HEIC files, and NumPy for some pictures of 16 bits.
"""

from __future__ import annotations

import io
from collections.abc import Generator
from contextlib import contextmanager

from PIL import Image, ImageFile, UnidentifiedImageError

from decoding.deep_colour import load
from decoding.rgb_pixels import UnsupportedPixels, to_rgb

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
ANIMATED = ("GIF", "WEBP", "PNG", "AVIF")
READ_IN_TURN = 10  # all frames of a file may have so many times the pixels of an image, because each is decoded to reach the next
STANDARD_MILLISECONDS = 100  # browsers show a frame without a duration for so long
LONGEST_MILLISECONDS = 655_350  # a GIF file holds no longer duration
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
        ImageRefused: the file has another format, is damaged, has 32 bits per channel, or is too large.
    """
    image = _checked(content, formats, max_pixels, max_side)
    orientation = _orientation(image)
    with _refusals(image):
        picture = to_rgb(load(image, content))
    upright = _upright(picture, orientation)
    return upright if width is None else narrowed(upright, width)


def decode_full_depth(content: bytes, formats: list[str], max_pixels: int, max_side: int) -> Image.Image:
    """Decode the first frame of an image file, and keep the depth of an image that has 16 bits of grey and nothing transparent.

    Returns:
        Such an image in the mode `I;16`, upright. Any other image as `decode` returns it.

    Raises:
        ImageRefused: the file has another format, is damaged, or is too large.
    """
    image = _checked(content, formats, max_pixels, max_side)
    if not image.mode.startswith("I;16"):
        return decode(content, formats, max_pixels, max_side)
    orientation = _orientation(image)
    with _refusals(image):
        image.load()
        if image.has_transparency_data:
            return _upright(to_rgb(image), orientation)
        order = "I;16B" if image.mode == "I;16B" else "I;16"
        return _upright(Image.frombytes("I;16", image.size, image.tobytes(), "raw", order), orientation)


def narrowed(image: Image.Image, width: int) -> Image.Image:
    """Return an image of at most this width, in pixels. The aspect ratio stays, up to the rounding of the height."""
    if image.width <= width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)


def decode_frames(
    content: bytes, formats: list[str], max_pixels: int, max_side: int, frames: int
) -> tuple[list[Image.Image], list[int], list[int]]:
    """Decode at most `frames` frames of an animation, evenly spaced. A still image has one frame, and so has a HEIF file.

    The frames together may have at most `max_pixels` pixels. The other arguments and the errors are those of `decode`.

    Returns:
        The frames as `decode` returns an image, their numbers from 0, and the milliseconds until the next of them.
    """
    image = _checked(content, formats, max_pixels, max_side)
    orientation = _orientation(image)
    with _refusals(image):
        # The default image of an animated PNG file is for programs that show no animation.
        first = int(getattr(image, "default_image", False))
        total = getattr(image, "n_frames", 1) - first if image.format in ANIMATED else 1
    numbers = [number * total // min(frames, total) for number in range(min(frames, total))]
    size = image.size
    fewer = f"at most {max_pixels // (size[0] * size[1])} of them may be asked for"
    for count, allowed, what, way in (
        (total, READ_IN_TURN * max_pixels, "frames of the file", "so the first frame alone can be explained"),
        (len(numbers), max_pixels, "frames that are asked for", fewer),
    ):
        if (pixels := count * size[0] * size[1]) > allowed:
            raise ImageRefused(
                "ImageTooLarge",
                f"The {count:,} {what} have {size[0]:,} × {size[1]:,} pixels each, {pixels:,} together. "
                f"At most {allowed:,} are allowed, {way}.",
                allowed=f"at most {allowed} pixels",
                got=str(pixels),
            )
    pictures: list[Image.Image] = []
    milliseconds = [0] * len(numbers)
    for number in range(total):
        with _refusals(image, f"frame {number} of "):
            image.seek(first + number)
            loaded = load(image, content)
            if image.size != size:
                raise ValueError(f"it has {image.width} × {image.height} pixels")
            if number in numbers:
                pictures.append(_upright(to_rgb(loaded.copy()), orientation))
            milliseconds[len(pictures) - 1] += round(image.info.get("duration") or STANDARD_MILLISECONDS)
    return pictures, numbers, [min(each, LONGEST_MILLISECONDS) for each in milliseconds]


def _checked(content: bytes, formats: list[str], max_pixels: int, max_side: int) -> ImageFile.ImageFile:
    """Open the file and check its dimensions."""
    image = _opened(content, formats)
    width, height = image.size
    if width * height > max_pixels or max(width, height) > max_side:
        raise ImageRefused(
            "ImageTooLarge",
            f"The image has {width:,} × {height:,} pixels. At most {max_pixels:,} pixels in total and {max_side:,} on a side are allowed.",
            allowed=f"at most {max_pixels} pixels, {max_side} on a side",
            got=f"{width} x {height}",
        )
    Image.MAX_IMAGE_PIXELS = max_pixels
    return image


@contextmanager
def _refusals(image: Image.Image, part: str = "") -> Generator[None]:
    """Refuse the image whose decoding fails."""
    file = f"{image.format} file of {image.width:,} × {image.height:,} pixels"
    try:
        yield
    except UnsupportedPixels as error:
        raise ImageRefused("InvalidImage", f"The {file} cannot be used: {error}.") from None
    except MemoryError:
        raise ImageRefused("ImageTooLarge", f"Decoding this {file} takes more memory than allowed.") from None
    except Exception as error:
        said = f"{part.capitalize()}the {file}" if part else f"The {file}"
        raise ImageRefused("InvalidImage", f"{said} is damaged or cut short: {error}.") from None


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(TRANSPOSE_FOR_ORIENTATION[orientation]) if orientation in TRANSPOSE_FOR_ORIENTATION else image


def _opened(content: bytes, formats: list[str]) -> ImageFile.ImageFile:
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
    if image.format == "TIFF":
        return 1  # Pillow turns these upright when it loads them
    try:
        return image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception:
        return 1  # the pixels can be good although the metadata is broken
