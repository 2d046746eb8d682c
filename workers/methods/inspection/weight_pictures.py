"""Explain pictures of weights: with a title, axes, and the scale of the colours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from rendering import colormaps, kernels
from rendering.annotations import PictureWords, annotated, letters_for
from rendering.charts.colour_scale import ColourScale
from rendering.charts.matrix_axes import CountedAxis, with_axes
from rendering.number_cells import numbered_cells
from rendering.text import PAPER
from schemas.methods.inspection.weights import Weights

NUMBERED_SIDE, CELL = 12, 48  # a matrix of up to 12 × 12 shows its numbers, in cells of 48 pixels
GAP = 16  # pixels between two pictures


@dataclass(frozen=True)
class WeightPicture:
    """One weight as a picture, with what explains it, and warnings about it."""

    title: str
    picture: UInt8[np.ndarray, "h w 3"]
    warnings: tuple[str, ...] = ()
    scale: ColourScale | None = None
    note: str = ""
    axes: tuple[CountedAxis, CountedAxis] | None = None


def colours_of(params: Weights) -> colormaps.Colours:
    """Return the colours of the weights, also if the parameters are not resolved."""
    return params.colormap or ("signed" if params.annotate else "gray")


def span_of(values: Float32[np.ndarray, "*axes"], params: Weights) -> tuple[float, float]:
    """Return the weights at the ends of the colours. Those of signed colours are equally far from 0."""
    if colours_of(params) == "signed":
        limit = float(np.abs(values).max()) or 1.0  # with zeros alone, 0 stays in the middle of the colours
        return -limit, limit
    return float(values.min()), float(values.max())


def scale_of(span: tuple[float, float], params: Weights) -> ColourScale:
    """Return the scale of the colours, with its ends, and with 0 if it lies well between them."""
    low, high = span
    labels = [(0.0, _number(low)), (1.0, _number(high))] if low < high else [(0.0, _number(low))]
    if low < 0 < high:
        labels.append((-low / (high - low), "0"))
    return ColourScale(colormaps.table(colours_of(params)), tuple(labels))


def colour_note(span: tuple[float, float]) -> str:
    """Return what the colours of kernels that read red, green and blue mean."""
    return f"red, green and blue: the weights, from {_number(span[0])} (dark) through 0 (grey) to {_number(span[1])} (bright)"


def explained_matrix(values: Float32[np.ndarray, "rows columns"], span: tuple[float, float], params: Weights) -> UInt8[np.ndarray, "H W 3"]:
    """Return a matrix as cells of colour, with the numbers in them if they are few."""
    if max(values.shape) <= NUMBERED_SIDE:
        return numbered_cells(values, span, colours_of(params), CELL)
    return kernels.matrix(values, colours_of(params), span)


def explained_sheet(weights: Sequence[WeightPicture], title: tuple[str, ...]) -> UInt8[np.ndarray, "H W 3"]:
    """Return the pictures under one another, each with its title, its axes and its scale."""
    sheets: list[UInt8[np.ndarray, "_ _ 3"]] = []
    for each in weights:
        letters = letters_for(each.picture.shape[1])
        picture = each.picture if each.axes is None else with_axes(each.picture, *each.axes, letters)
        sheets.append(annotated(picture, PictureWords((*title, each.title), note=each.note, letters=letters), each.scale))
    width = max(sheet.shape[1] for sheet in sheets)
    rows = [np.pad(sheet, ((0, GAP), (0, width - sheet.shape[1]), (0, 0)), constant_values=PAPER[0]) for sheet in sheets]
    return np.concatenate(rows)[:-GAP]


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")
