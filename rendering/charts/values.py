"""Plot single values: by their index, and as a histogram."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, UInt8
from PIL import Image, ImageDraw

from rendering.charts.axes import PLOT_BOX, PLOT_HEIGHT, Axes
from rendering.charts.style import PLOT_WIDTH
from rendering.text import INK, PAPER, font


def unit_values(values: Float32[np.ndarray, " k"]) -> UInt8[np.ndarray, "H W 3"]:
    """Plot a dense layer's units: each value as a bar over its index, and below it a histogram of the positive values in 100 bins.

    Source: the Caffe notebook "Classification: Instant Recognition with Caffe", where it shows fc6.
    """
    positive = values[values > 0]
    if not len(positive):
        nothing = Image.new("RGB", (PLOT_WIDTH, PLOT_HEIGHT), PAPER)
        ImageDraw.Draw(nothing).text((64, 10), "No unit has a positive value", fill=INK, font=font(14), anchor="la")
        below = np.asarray(nothing)
    else:
        below = histogram(positive, f"Histogram of the {len(positive):,} positive values of {len(values):,}", low=0.0)
    return np.concatenate([values_by_index(values, "Value of each unit, by index"), below])


def values_by_index(values: Float32[np.ndarray, " k"], title: str) -> UInt8[np.ndarray, "H W 3"]:
    """Plot each value as a bar from 0, over its index."""
    sheet = Image.new("RGB", (PLOT_WIDTH, PLOT_HEIGHT), PAPER)
    low, high = min(0.0, float(values.min())), max(0.0, float(values.max()))
    axes = Axes(ImageDraw.Draw(sheet), PLOT_BOX, (-0.5, len(values) - 0.5), (low, high))
    axes.frame(title, whole_x=True)
    for index, value in enumerate(values.tolist()):
        axes.bar(index - 0.5, index + 0.5, value)
    return np.asarray(sheet)


def histogram(values: Float32[np.ndarray, " k"], title: str, *, low: float | None = None) -> UInt8[np.ndarray, "H W 3"]:
    """Plot how many values fall into each of 100 bins, from `low` to the largest value. If `low` is None, it is the smallest value."""
    sheet = Image.new("RGB", (PLOT_WIDTH, PLOT_HEIGHT), PAPER)
    exact = values.astype(np.float64)  # float32 has no 100 bins between nearly equal values
    counts, edges = np.histogram(exact, bins=100, range=(float(exact.min()) if low is None else low, float(exact.max())))
    axes = Axes(ImageDraw.Draw(sheet), PLOT_BOX, (float(edges[0]), float(edges[-1])), (0.0, float(counts.max())))
    axes.frame(title, whole_y=True)
    for count, start, stop in zip(counts.tolist(), edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        axes.bar(start, stop, count)
    return np.asarray(sheet)
