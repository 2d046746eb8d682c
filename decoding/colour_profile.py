"""Bring the colours of a picture to sRGB, if its file carries an ICC profile of another colour space or is in CIE L*a*b*.

Models are trained on photos in sRGB. Phones save photos in Display P3, some cameras in Adobe RGB, and print shops in CMYK. Little CMS
converts them with the perceptual intent (ICC.1:2022, section 6.2). The numbers of a TIFF file in CIE L*a*b* (TIFF 6.0, section 23) are
colours without a profile. `decoding.deep_colour` converts most pictures of 16-bit colour before.
This module needs only Pillow, because a decoding process imports it.
"""

from __future__ import annotations

import io
import struct
from functools import cache, lru_cache
from itertools import product
from typing import Any

from PIL import Image, ImageChops, ImageCms

_OPAQUE_MODES = {"RGB": "RGB", "RGBA": "RGB", "L": "L", "LA": "L", "CMYK": "CMYK"}
_COLOUR_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}
_cms: Any = ImageCms  # its types are those of an extension module, which pyright does not find
_SRGB = _cms.createProfile("sRGB")
_PROBE = Image.frombytes("RGB", (64, 64), bytes(value for colour in product(range(0, 256, 17), repeat=3) for value in colour))
_ALL_16_BITS = Image.frombytes("I;16", (256, 256), struct.pack("<65536H", *range(65536)))
_LIKE_SRGB = 1  # of 255: a profile that changes no colour of the probe by more is sRGB, with rounded numbers


def to_srgb(image: Image.Image) -> Image.Image:
    """Return the picture in 8-bit sRGB, as the ICC profile in its `info` says. Its alpha channel stays.

    A picture is returned as it is if it has no profile, or if the profile is that of sRGB, is broken, or is made for other channels than
    the picture has, such as a profile of RGB in a grey picture. Pictures of modes that are not 8-bit grey, RGB or CMYK are returned as they
    are, too, but for those in CIE L*a*b*, whose white is taken to be that of D50, as libtiff does.
    """
    if image.mode == "LAB":
        return _lab_transform().apply(image)
    content, mode = image.info.get("icc_profile"), _OPAQUE_MODES.get(image.mode)
    found = transform(content, mode) if content and mode else None
    if found is None:
        return image
    try:
        converted = found.apply(image if image.mode == mode else image.convert(mode))
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return image
    if image.mode in ("RGBA", "LA"):
        converted.putalpha(image.getchannel("A"))
    return converted


@cache
def _lab_transform() -> Any:
    return _cms.buildTransform(_cms.createProfile("LAB"), _SRGB, "LAB", "RGB")


@lru_cache(maxsize=4)  # the photos of one camera have the same profile, and building a transform takes longer than decoding a small photo
def transform(content: bytes, mode: str) -> Any:
    """Return the transform of a profile to sRGB, or None if a picture of this mode (RGB, L or CMYK) stays as it is."""
    try:
        profile = _cms.ImageCmsProfile(io.BytesIO(content))
        if profile.profile.xcolor_space.strip() != _COLOUR_SPACES[mode]:
            return None
        built = _cms.buildTransform(profile, _SRGB, mode, "RGB")
        return None if mode == "RGB" and _changes_nothing(built) else built
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return None


@lru_cache(maxsize=4)
def grey_levels(content: bytes) -> list[int] | None:
    """Return the 8-bit sRGB grey of each of the 65,536 values of 16-bit grey, or None if this is no usable profile of grey."""
    try:
        profile = _cms.ImageCmsProfile(io.BytesIO(content))
        if profile.profile.xcolor_space.strip() != "GRAY":
            return None
        # Little CMS would otherwise interpolate between a few values, and be off by up to 10 of 255 in dark parts of linear light.
        exact = _cms.buildTransform(profile, _SRGB, "I;16", "RGB", flags=_cms.Flags.NOOPTIMIZE)
        return list(exact.apply(_ALL_16_BITS).getchannel("R").tobytes())
    except (OSError, ValueError, TypeError, ImageCms.PyCMSError):
        return None


def _changes_nothing(built: Any) -> bool:
    counts = ImageChops.difference(built.apply(_PROBE), _PROBE).histogram()
    return not any(sum(counts[channel + _LIKE_SRGB + 1 : channel + 256]) for channel in (0, 256, 512))
