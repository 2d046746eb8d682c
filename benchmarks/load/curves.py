"""Draw throughput and percentiles against the offered load."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib import pyplot as plt
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from benchmarks.load.load_point import LoadPoint

mpl.use("Agg")
_NAMES = {"grad_cam": "Grad-CAM", "activations": "activations", "mixed": "mixed traffic"}
_COLOURS = {"p50": "#1b7837", "p95": "#e08214", "p99": "#b2182b"}
_STYLES = ("-", "--", ":", "-.")


def draw(points: Sequence[LoadPoint], path: Path) -> None:
    """Draw one column for each kind of traffic: above, the answered calls a second; below, the percentiles of their times."""
    kinds = list(dict.fromkeys(point.traffic for point in points))
    counts = sorted({point.workers for point in points})
    figure, axes = plt.subplots(2, len(kinds), figsize=(4.2 * len(kinds), 6.4), sharex="col", squeeze=False, layout="constrained")
    for column, kind in enumerate(kinds):
        above, below = axes[:, column]
        above.set_title(_NAMES.get(kind, kind))
        most = max(point.offered for point in points if point.traffic == kind)
        above.plot([0, most], [0, most], color="0.7", linewidth=1, label="all is answered")
        for workers, style in zip(counts, _STYLES, strict=False):
            rows = sorted(
                (point for point in points if point.traffic == kind and point.workers == workers), key=lambda point: point.offered
            )
            offered, name = [row.offered for row in rows], f"{workers} worker" + ("s" if workers > 1 else "")
            above.plot(offered, [row.answered for row in rows], style, marker="o", color="#2166ac", label=name)
            for percent, colour in _COLOURS.items():
                times = [getattr(row, percent) / 1000 for row in rows]
                below.plot(offered, times, style, marker="o", color=colour, label=f"{percent}, {name}")
        below.set_yscale("log")
        below.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        below.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        below.yaxis.set_minor_formatter(NullFormatter())
        below.set_xlabel("offered calls a second")
        above.set_ylim(bottom=0)
        for one in (above, below):
            one.grid(color="0.9")
    axes[0, 0].set_ylabel("answered calls a second")
    axes[1, 0].set_ylabel("time of a call, seconds")
    axes[0, 0].legend(fontsize=8)
    axes[1, 0].legend(fontsize=8)
    figure.savefig(path, dpi=110)
    plt.close(figure)
