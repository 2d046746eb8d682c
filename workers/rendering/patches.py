"""Parts of photos in rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt8

from workers.rendering import channels, text
from workers.rendering.grid import grid
from workers.rendering.panels import Panel, boxed

SIDE, GAP, LETTERS = 112, 6, 11


@dataclass(frozen=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


def sheet(title: str, rows: Sequence[Row], columns: int) -> UInt8[np.ndarray, "H W 3"]:
    """Rows of up to `columns` pictures under their titles, each picture brought to fill a square of 112 pixels, under its caption.

    Places left over stay white.
    """
    parts = [channels.titled(_tiles(row, columns), row.title) if row.panels else text.line(row.title, _width(columns)) for row in rows]
    width = max(part.shape[1] for part in parts)
    widened = [np.pad(part, ((0, GAP), (0, width - part.shape[1]), (0, 0)), constant_values=text.PAPER[0]) for part in parts]
    return channels.titled(np.concatenate(widened), title)


def _tiles(row: Row, columns: int) -> UInt8[np.ndarray, "H W 3"]:
    panels = [*row.panels, *[Panel("", np.full((1, 1, 3), text.PAPER, np.uint8))] * (columns - len(row.panels))]
    tiles = np.stack([boxed(panel.picture, SIDE, SIDE) for panel in panels])
    return grid(text.captioned(tiles, [panel.caption for panel in panels], LETTERS), columns=columns, gap=GAP, background=text.PAPER)


def _width(columns: int) -> int:
    return columns * (SIDE + GAP) - GAP
