"""Draw maps before and after a change, and their difference, beside the scales of their colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from rendering import colormaps, scaling
from rendering.charts.colour_scale import ColourScale
from rendering.charts.tile_with_scale import picture_middle, scale_labels, tile_size, tile_with_scale
from rendering.colormaps import Colours
from rendering.patch_rows import PatchRow, patch_sheet
from rendering.side_by_side import CaptionedPicture

SIDE = 200  # pixels, of the box of a map
_BOX = (SIDE, SIDE)
_NOTE = "before and after have one scale of colours; in the difference, red is more and blue is less"


@dataclass(frozen=True)
class ChangedMap:
    """A finite map before and after a change, and the words above the two and above their difference."""

    title: str
    before: Float32[np.ndarray, "h w"]
    after: Float32[np.ndarray, "h w"]
    captions: tuple[str, str, str]


def changed_maps(title: str, rows: Sequence[ChangedMap]) -> UInt8[np.ndarray, "H W 3"]:
    """Return a row for each map: before and after in the colours of one scale, and the difference in those of a signed one.

    The scale of the difference reaches from minus its largest absolute value to that value. Each row has scales of its own.
    """
    middles = tuple(picture_middle(_BOX, scale=scale) for scale in (False, True, True))
    sheet = [PatchRow(each.title, tuple(map(CaptionedPicture, each.captions, _tiles(each))), middles) for each in rows]
    return patch_sheet(title, sheet, 3, _NOTE, tile_size(_BOX))


def _tiles(row: ChangedMap) -> list[UInt8[np.ndarray, "h w 3"]]:
    low, high = float(min(row.before.min(), row.after.min())), float(max(row.before.max(), row.after.max()))
    span = (high - low) or 1.0
    difference = row.after - row.before
    largest = float(np.abs(difference).max())
    plain = ColourScale(colormaps.table("viridis"), scale_labels(low, high))
    signed = ColourScale(colormaps.table("signed"), scale_labels(-largest, largest) if largest else ((0.5, "0"),))
    before, after = (_coloured((values - low) / span, "viridis") for values in (row.before, row.after))
    return [
        tile_with_scale(before, _BOX, None),
        tile_with_scale(after, _BOX, plain),
        tile_with_scale(_coloured((scaling.signed(difference) + 1) / 2, "signed"), _BOX, signed),
    ]


def _coloured(shares: Float32[np.ndarray, "h w"], colours: Colours) -> UInt8[np.ndarray, "h w 3"]:
    """Return a map (0-1) in the colours of a colormap."""
    return colormaps.apply(np.rint(shares * 255).astype(np.uint8), colours)
