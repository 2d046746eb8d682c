"""Bring a decoded picture of any mode to 8-bit RGB. This module needs only Pillow, because a decoding process imports it."""

from __future__ import annotations

from PIL import Image, ImageMath

from decoding.colour_profile import grey_levels, to_srgb


class UnsupportedPixels(Exception):
    """The picture is whole, but its numbers do not say which colours they are."""


def to_rgb(image: Image.Image) -> Image.Image:
    """Return a picture in 8-bit sRGB, with its transparent parts over white.

    Raises:
        UnsupportedPixels: it has 32 bits per channel.
    """
    if image.mode.startswith("I;16"):
        image = _eight_bits(image)
    if image.mode in ("I", "F"):
        raise UnsupportedPixels("it has 32 bits per channel, and 8 or 16 are allowed")
    grey = image.mode in ("1", "L", "LA")
    if image.has_transparency_data:
        image = image.convert("LA" if grey else "RGBA")
    elif image.mode in ("1", "P"):
        image = image.convert("L" if grey else "RGB")
    image = to_srgb(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        white.alpha_composite(image)
        image = white
    return image if image.mode == "RGB" else image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """Return a picture of 16-bit grey in 8 bits: L, or LA if one of its values is transparent.

    A profile of grey is applied to all 16 bits. Without one, the high byte is kept, as libpng's strip_16 does. `convert` would clip the
    values at 255.
    """
    high = 1 if image.mode in ("I;16", "I;16L") else 0
    profile = image.info.get("icc_profile")
    levels = grey_levels(profile) if profile else None
    grey = Image.frombytes("L", image.size, image.tobytes()[high::2]) if levels is None else image.convert("I").point(levels, "L")
    applied = ("transparency",) if levels is None else ("transparency", "icc_profile")
    grey.info = {name: value for name, value in image.info.items() if name not in applied}
    if (transparent := image.info.get("transparency")) is not None:
        opaque = ImageMath.lambda_eval(lambda of: of["convert"]((of["values"] != transparent) * 255, "L"), values=image.convert("I"))
        grey.putalpha(opaque)
    return grey
