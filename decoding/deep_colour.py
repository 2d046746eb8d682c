"""Load pictures, and read those that have 16 bits in each channel of colour with all of their bits, where 8 would change the answer.

Pillow keeps one byte of each value of 16 bits. The raw mode of a file's tiles says which one: "RGB;16B" keeps the first byte, and
"RGB;16L" the second one. So this module reads such a file twice. NumPy is imported when the first such file comes.
"""

from __future__ import annotations

import io
import sys
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageFile, PngImagePlugin, TiffImagePlugin

from decoding import colour_profile

if TYPE_CHECKING:
    from decoding.matrix_profile import MatrixProfile

_PLANAR_CONFIGURATION = 284  # a tag of TIFF files: 1 if the channels of each pixel lie together, 2 if each channel lies apart
_OTHER_ORDER = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_LOW_BYTES = {f"{bands};16{order}": f"{bands};16{other}" for bands in ("RGB", "RGBA", "RGBX") for order, other in _OTHER_ORDER.items()}


def load(image: ImageFile.ImageFile, content: bytes) -> Image.Image:
    """Load the pixels of an opened picture.

    Args:
        image: the picture.
        content: its file.

    Returns:
        The picture as Pillow loads it, with two exceptions if it has 16 bits in each channel of colour. If its profile has a matrix and
        curves, its colours are converted from 16 bits to 8-bit sRGB, and it carries the profile no more. If one of its colours is
        transparent (PNG's tRNS), all 16 bits are compared, and it has an alpha channel.

    Raises:
        Exception: whatever Pillow raises for a damaged file.
    """
    image.load()
    if image.format not in ("PNG", "TIFF") or image.mode not in ("RGB", "RGBA"):
        return image
    with Image.open(io.BytesIO(content), formats=[image.format]) as low:
        if not (tiles := _tiles_of_low_bytes(low)):
            return image
        profile = _exact_profile(low.info["icc_profile"]) if low.info.get("icc_profile") else None
        transparent: tuple[int, int, int] | None = low.info.get("transparency")
        if profile is None and transparent is None:
            return image
        low.tile = tiles
        low.load()
        picture = image if transparent is None else Image.new("RGBA", image.size)
        import_module("decoding.matrix_profile").fill(picture, image, low, profile, transparent)
    dropped = ("transparency",) if profile is None else ("transparency", "icc_profile")
    picture.info = {name: value for name, value in image.info.items() if name not in dropped}
    return picture


def _tiles_of_low_bytes(image: ImageFile.ImageFile) -> list[Any]:
    """Return the tiles that read the lower byte of each value, or nothing if the picture does not have 16 bits in each channel.

    Frames of an animation are laid over each other by Pillow, which can be done with the higher bytes only. libtiff's reader takes no
    raw mode for channels that lie apart.
    """
    if isinstance(image, PngImagePlugin.PngImageFile) and image.is_animated:
        return []
    if isinstance(image, TiffImagePlugin.TiffImageFile) and image.tag_v2.get(_PLANAR_CONFIGURATION, 1) != 1:
        return []
    tiles: list[Any] = []
    for tile in image.tile:
        mode, *others = (tile.args,) if isinstance(tile.args, str) else tile.args or ("",)
        if mode not in _LOW_BYTES:
            return []
        tiles.append(tile._replace(args=(_LOW_BYTES[mode], *others) if others else _LOW_BYTES[mode]))
    return tiles


@lru_cache(maxsize=4)
def _exact_profile(content: bytes) -> MatrixProfile | None:
    """Return a profile that can be applied to 16 bits, or None if it has tables, or if Little CMS ignores it or it is that of sRGB."""
    if colour_profile.transform(content, "RGB") is None:
        return None
    module = import_module("decoding.matrix_profile")
    try:
        return module.read_matrix_profile(content)
    except module.UnknownProfile:
        return None
