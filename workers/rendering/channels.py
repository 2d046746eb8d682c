"""A layer's channels as one picture: scaled, coloured, tiled; and several such pictures under one another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from schemas.methods.colormap import Colormap
from workers.rendering import colormap, scaling, text
from workers.rendering.grid import grid

# A tile smaller than this is enlarged by a whole factor, nearest neighbour: 7×7 becomes 28×28, 1×1 becomes 24×24.
VISIBLE = 24
CAPTIONED = 40
THIN = 4
# A grid of more pixels than this shows its tiles smaller; 64 channels of 700×700 just fit.
MAX_GRID_PIXELS = 32_000_000
SHEET_WIDTH = 1024
TITLE_WIDTH = 240


def tiled(
    activations: Float32[np.ndarray, "h w k"],
    *,
    mode: Literal["per_channel", "global"],
    colours: Colormap,
    columns: int | None = None,
    captions: Sequence[str] | None = None,
    span: tuple[float, float] | None = None,
) -> UInt8[np.ndarray, "H W 3"]:
    """Every channel a tile, in the order they come in.

    Args:
        mode: as `scaling.per_channel` or `scaling.over_layer` scale.
        columns: tiles in a row; None: ⌈√k⌉.
        captions: words above each tile.
        span: minimum and maximum of the layer, for `global` when `activations` are some of its channels.
    """
    levels = scaling.per_channel(activations) if mode == "per_channel" else scaling.over_layer(activations, span)
    tiles = _visible(_bounded(np.ascontiguousarray(levels.transpose(2, 0, 1))), CAPTIONED if captions else VISIBLE)
    count, height, width = tiles.shape
    coloured = colormap.apply(tiles.reshape(count * height, width), colours).reshape(count, height, width, 3)
    if captions:
        coloured = text.captioned(coloured, captions)
    return grid(coloured, columns=columns, background=text.PAPER)


def titled(picture: UInt8[np.ndarray, "h w 3"], title: str, *, least: int = TITLE_WIDTH, size: int = 13) -> UInt8[np.ndarray, "H W 3"]:
    """`picture` under its title, in letters of `size` pixels; widened on the right where it is narrower than `least`."""
    width = max(picture.shape[1], least)
    return np.concatenate([text.line(title, width, size), _widened(picture, width)], axis=0)


def sheet(pictures: Sequence[UInt8[np.ndarray, "_ _ 3"]], titles: Sequence[str]) -> UInt8[np.ndarray, "H W 3"]:
    """Titled pictures under one another, left-aligned; those wider than the sheet (1,024 pixels) are reduced to it."""
    parts: list[np.ndarray] = []
    for picture, title in zip(pictures, titles, strict=True):
        height, width = picture.shape[:2]
        if width > SHEET_WIDTH:
            height = max(1, round(height * SHEET_WIDTH / width))
            shown = np.asarray(cv2.resize(picture, (SHEET_WIDTH, height), interpolation=cv2.INTER_AREA), np.uint8)
        else:
            shown = picture
        parts += [text.line(title, SHEET_WIDTH), _widened(shown, SHEET_WIDTH)]
    return np.concatenate(parts, axis=0)


def _widened(picture: UInt8[np.ndarray, "h w 3"], width: int) -> UInt8[np.ndarray, "h W 3"]:
    if picture.shape[1] >= width:
        return picture
    paper = np.full((picture.shape[0], width - picture.shape[1], 3), text.PAPER, np.uint8)
    return np.concatenate([picture, paper], axis=1)


def _visible(tiles: UInt8[np.ndarray, "n h w"], side: int) -> UInt8[np.ndarray, "n H W"]:
    height, width = tiles.shape[1:]
    factor = max(math.ceil(side / max(height, width)), math.ceil(THIN / min(height, width)))
    return tiles if factor <= 1 else tiles.repeat(factor, axis=1).repeat(factor, axis=2)


def bounded_size(count: int, height: int, width: int) -> tuple[int, int]:
    """Height and width at which `count` tiles are drawn: their own, or less where the grid would exceed `MAX_GRID_PIXELS`."""
    share = math.sqrt(MAX_GRID_PIXELS / (count * height * width))
    return (height, width) if share >= 1 else (max(1, int(height * share)), max(1, int(width * share)))


def _bounded(tiles: UInt8[np.ndarray, "n h w"]) -> UInt8[np.ndarray, "n H W"]:
    size = bounded_size(*tiles.shape)
    if size == tiles.shape[1:]:
        return tiles
    return np.stack([cv2.resize(tile, size[::-1], interpolation=cv2.INTER_AREA) for tile in tiles])
