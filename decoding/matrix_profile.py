"""Convert colours of 16 bits to 8-bit sRGB as an ICC profile with a matrix and three curves says (ICC.1:2022, sections 8.3.3 and F.3).

Most profiles of cameras, screens and renderers are of this kind. A decoding process imports this module, and NumPy with it, when it first
meets a picture that needs it.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from jaxtyping import Float32, Float64, UInt8, UInt16

_LEVELS = 65_536
_CHANNELS = (b"r", b"g", b"b")
_TABLES = (b"A2B0", b"A2B1", b"A2B2", b"D2B0", b"D2B1", b"D2B2", b"D2B3")  # a profile with one of these need not follow its matrix
# The columns are X, Y and Z of sRGB's red, green and blue (IEC 61966-2-1), adapted to D50 by Bradford.
_SRGB_TO_XYZ = np.array([[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]])
_STEPS = 1 << 18  # light is rounded to so many steps before sRGB's curve: less than 0.01 of 255, also where the curve is steepest
_BAND = 1 << 14  # pixels that are converted at once: what is computed of them fits into the processor's cache


class UnknownProfile(Exception):
    """The profile is damaged, or has something else than a matrix and curves that this module knows."""


class MatrixProfile(NamedTuple):
    """The light of each value of each channel, float32 (3, 65536), from 0 to 1, and the matrix to the light of sRGB, float32 (3, 3)."""

    light: Float32[np.ndarray, "3 65536"]
    to_srgb: Float32[np.ndarray, "3 3"]

    def convert(self, values: UInt16[np.ndarray, "n 3"]) -> UInt8[np.ndarray, "n 3"]:
        """Return colours of 16 bits, uint16 (n, 3), in sRGB, uint8 (n, 3). Colours that sRGB does not have are clipped."""
        light = np.stack([table[values[:, channel]] for channel, table in enumerate(self.light)])
        steps = (self.to_srgb @ light) * np.float32(_STEPS - 1) + np.float32(0.5)
        return _SRGB_OF_LIGHT[np.clip(steps, 0, _STEPS - 1).astype(np.int32)].T


def fill(
    picture: Image.Image, high: Image.Image, low: Image.Image, profile: MatrixProfile | None, transparent: tuple[int, int, int] | None
) -> None:
    """Set the pixels of a picture to those of a file of 16-bit colour, in bands of rows, so that memory stays small.

    Args:
        picture: it is changed. Its mode is that of the others, or RGBA if a colour is transparent. It may be `high` itself.
        high: the higher byte of each value, RGB or RGBA. Alpha is taken from here.
        low: the lower byte of each value.
        profile: converts colours to sRGB. Without it, they are the higher bytes.
        transparent: red, green and blue, of 16 bits each, of the colour whose pixels get an alpha of 0. All others get 255.
    """
    rows = max(1, _BAND // high.width)
    for top in range(0, high.height, rows):
        box = (0, top, high.width, min(top + rows, high.height))
        of_high, of_low = (np.frombuffer(half.crop(box).tobytes(), np.uint8).reshape(-1, len(half.mode)) for half in (high, low))
        values = of_high[:, :3].astype(np.uint16) << 8 | of_low[:, :3]
        pixels = np.empty((len(values), len(picture.mode)), np.uint8)
        pixels[:, :3] = of_high[:, :3] if profile is None else profile.convert(values)
        if transparent is not None:
            pixels[:, 3] = np.where((values == transparent).all(axis=1), 0, 255)
        elif picture.mode == "RGBA":
            pixels[:, 3] = of_high[:, 3]
        picture.paste(Image.frombytes(picture.mode, (high.width, box[3] - top), pixels.tobytes()), (0, top))


def read_matrix_profile(content: bytes) -> MatrixProfile:
    """Read the columns and the curves of an ICC profile.

    Raises:
        UnknownProfile: the profile is damaged, is not one of RGB with a matrix to XYZ, or has tables or a curve of an unknown type.
    """
    try:
        tags = _tags(content)
        if content[16:24] != b"RGB XYZ " or any(name in tags for name in _TABLES):
            raise UnknownProfile
        columns = [_fixed(tags[channel + b"XYZ"], 8, 3) for channel in _CHANNELS]
        light = [_curve(tags[channel + b"TRC"]) for channel in _CHANNELS]
    except (KeyError, struct.error):
        raise UnknownProfile from None
    to_srgb = np.linalg.inv(_SRGB_TO_XYZ) @ np.array(columns).T
    return MatrixProfile(np.array(light, np.float32), to_srgb.astype(np.float32))


def _tags(content: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", content, 128)
    if count * 12 > len(content):
        raise UnknownProfile
    entries = [struct.unpack_from(">4sII", content, 132 + 12 * index) for index in range(count)]
    return {name: content[start : start + length] for name, start, length in entries}


def _fixed(tag: bytes, start: int, count: int) -> list[float]:
    """Return numbers of the type s15Fixed16Number."""
    return [value / 65_536 for value in struct.unpack_from(f">{count}i", tag, start)]


def _curve(tag: bytes) -> Float64[np.ndarray, " levels"]:
    """Return the light of each value, by a `curv` (section 10.6) or a `para` (section 10.18)."""
    value = np.arange(_LEVELS) / (_LEVELS - 1)
    if tag[:4] == b"curv":
        (count,) = struct.unpack_from(">I", tag, 8)
        if count * 2 > len(tag):
            raise UnknownProfile
        points = struct.unpack_from(f">{count}H", tag, 12)
        if count == 0:
            return value
        return value ** (points[0] / 256) if count == 1 else np.interp(value, np.linspace(0, 1, count), np.array(points) / 65_535)
    if tag[:4] != b"para":
        raise UnknownProfile
    (kind,) = struct.unpack_from(">H", tag, 8)
    if kind >= len(_NUMBERS_OF_PARA):
        raise UnknownProfile
    g, a, b, c, d, e, f = _as_type_4(kind, _fixed(tag, 12, _NUMBERS_OF_PARA[kind]))
    # The base may be negative only where the other part of the curve holds.
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        light = np.where(value >= d, np.maximum(a * value + b, 0) ** g + e, c * value + f)
    if not np.isfinite(light).all():
        raise UnknownProfile
    return np.clip(light, 0, 1)


_NUMBERS_OF_PARA = (1, 3, 4, 5, 7)


def _as_type_4(kind: int, numbers: list[float]) -> list[float]:
    """Return the numbers of a `para` of types 0 to 4 as those of type 4, whose curve is (a·x + b)^g + e from d on, and c·x + f below."""
    if kind == 4:
        return numbers
    g, a, b, c, d = [*numbers, *(1.0, 0.0, 0.0, 0.0)[len(numbers) - 1 :]]
    if kind in (1, 2):
        return [g, a, b, 0.0, -b / a if a else 0.0, c, c]
    return [g, a, b, c, d, 0.0, 0.0]


def _srgb_of_light() -> UInt8[np.ndarray, " steps"]:
    light = np.arange(_STEPS) / (_STEPS - 1)
    return np.rint(255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)).astype(np.uint8)


_SRGB_OF_LIGHT = _srgb_of_light()
