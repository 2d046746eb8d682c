"""Let Graphviz's program `dot` draw a graph as SVG or PNG, within a time limit."""

from __future__ import annotations

import math
import re
import shutil
import subprocess

import cv2
import numpy as np
from jaxtyping import UInt8

SECONDS = 20.0  # for one drawing
DPI, LONGEST_SIDE, MOST_PIXELS = 96.0, 16_384, 32_000_000


class NotDrawn(Exception):
    """Graphviz could not draw the graph. The message says why, in words for the caller of the service."""


def svg(source: str, seconds: float = SECONDS) -> str:
    """Return the drawing as SVG.

    Raises:
        NotDrawn: `dot` is not installed, needs longer than `seconds`, or fails.
    """
    return _run(source, ["-Tsvg"], seconds).decode()


def png(source: str, dots_per_inch: float, seconds: float = SECONDS) -> UInt8[np.ndarray, "h w 3"]:
    """Return the drawing as RGB pixels.

    Raises:
        NotDrawn: `dot` is not installed, needs longer than `seconds`, fails, or makes a PNG that cannot be read.
    """
    content = _run(source, ["-Tpng", f"-Gdpi={dots_per_inch:.2f}"], seconds)
    pixels = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise NotDrawn("Graphviz made a PNG that cannot be read.")
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB), np.uint8)


def fitting_dpi(drawing: str) -> float:
    """Return the dots per inch at which Graphviz's SVG drawing, as a PNG, stays within `LONGEST_SIDE` and `MOST_PIXELS`.

    The size of the SVG is in points of 1/72 inch.

    Raises:
        NotDrawn: The SVG has no size.
    """
    found = re.search(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"', drawing)
    if found is None:
        raise NotDrawn("Graphviz made an SVG without a size.")
    width, height = (float(length) / 72 for length in found.groups())
    return min(DPI, LONGEST_SIDE / max(width, height), math.sqrt(MOST_PIXELS / (width * height)))


def _run(source: str, arguments: list[str], seconds: float) -> bytes:
    program = shutil.which("dot")
    if program is None:
        raise NotDrawn("Graphviz is not installed on this worker (its program `dot` is not on the PATH).")
    try:
        done = subprocess.run([program, *arguments], input=source.encode(), capture_output=True, timeout=seconds, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise NotDrawn(f"Graphviz needs more than {seconds:g} seconds for this graph.") from None
    if done.returncode != 0 or not done.stdout:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise NotDrawn(f"Graphviz failed: {words[0] if words else f'exit status {done.returncode}'}.")
    return done.stdout
