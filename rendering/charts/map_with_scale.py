"""Draw maps in a colormap's colours, with the scale that says which colour stands for which value."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from rendering import colormaps
from rendering.charts.axes import ticks
from rendering.charts.colour_scale import ColourScale, draw_scale, scale_width
from rendering.grid import grid
from rendering.text import INK, PAPER, captioned, font, line_height
from schemas.methods.colormap import Colormap

LONGEST_SIDE, WIDEST_GRID = 480, 960  # pixels, of an enlarged map and of the tiles of several
NOT_FINITE = (150, 150, 150)
_MARGIN, _LETTERS, _SHORTEST_BAR = 12, 12, 120  # pixels


def map_with_scale(values: Float[np.ndarray, "h w"] | Float[np.ndarray, "n h w"], colours: Colormap) -> UInt8[np.ndarray, "H W 3"]:
    """Return a picture of one map, or of several maps as tiles that share one scale.

    The smallest value has the first colour of the colormap and the largest value the last one; between them, colours are linear in the
    value. Each value is a square, enlarged by a whole number while the map stays within 480 pixels. Tiles are numbered by their index.
    Values that are not finite are grey. The scale, with its smallest and largest value, stands on the right.
    """
    maps = (values if values.ndim == 3 else values[None]).astype(np.float64)
    good = np.isfinite(maps)
    low, high = (float(maps[good].min()), float(maps[good].max())) if good.any() else (0.0, 0.0)
    span = high - low or 1.0
    levels = np.rint((np.where(good, maps, low) - low) / span * 255).astype(np.uint8)
    pixels = colormaps.table(colours)[levels]
    pixels[~good] = NOT_FINITE
    tiles = _enlarged(pixels)
    picture = (
        tiles[0] if values.ndim == 2 else grid(captioned(tiles, [f"[{index}]" for index in range(len(tiles))]), gap=4, background=PAPER)
    )
    return _beside_scale(picture, (low, high), colours, has_values=bool(good.any()), has_grey=not good.all())


def _enlarged(maps: UInt8[np.ndarray, "n h w 3"]) -> UInt8[np.ndarray, "n H W 3"]:
    count, *sides = maps.shape[:3]
    factor = max(1, min(LONGEST_SIDE, WIDEST_GRID // math.ceil(math.sqrt(count))) // max(sides))
    return maps.repeat(factor, axis=1).repeat(factor, axis=2)


def _beside_scale(
    picture: UInt8[np.ndarray, "h w 3"], ends: tuple[float, float], colours: Colormap, *, has_values: bool, has_grey: bool
) -> UInt8[np.ndarray, "H W 3"]:
    """Return the picture with the scale on its right, and below it what grey means if there is grey."""
    note = "grey: not finite" if has_grey else ""
    height, width = picture.shape[:2]
    bar_left, bar_height = _MARGIN + width + _MARGIN, max(height, _SHORTEST_BAR)
    right = math.ceil(font(_LETTERS).getlength(note)) + 2 * _MARGIN
    scale = None
    if has_values:
        table = colormaps.table(colours)
        scale = ColourScale(table if ends[1] > ends[0] else np.broadcast_to(table[0], table.shape), _labels(*ends))
        right = max(right, bar_left + scale_width(scale, _LETTERS) + _MARGIN)
    right = max(right, bar_left)
    sheet = Image.new("RGB", (right, bar_height + 2 * _MARGIN + (line_height(_LETTERS) if note else 0)), PAPER)
    sheet.paste(Image.fromarray(picture), (_MARGIN, _MARGIN))
    if scale is not None:
        draw_scale(sheet, scale, (bar_left, _MARGIN), bar_height, _LETTERS)
    ImageDraw.Draw(sheet).text((_MARGIN, 2 * _MARGIN + bar_height), note, fill=INK, font=font(_LETTERS), anchor="la")
    return np.asarray(sheet)


def _labels(low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Return the places (0 is the lower end of the scale, and 1 the upper end) and the words of the scale's labels, the ends first."""
    if low == high:
        return ((0.5, f"{low:.4g}"),)
    inner = [((value - low) / (high - low), words) for value, words in ticks(low, high, wanted=5, whole=False)]
    return (0.0, f"{low:.4g}"), (1.0, f"{high:.4g}"), *inner
