"""The overlay of an attribution method that runs as a part of another job."""

from __future__ import annotations

from rendering.drawings.base import Drawing
from workers.contract.artifacts import Output, Picture, PictureOfArrays


def overlay_drawing(drawn: Output) -> Drawing:
    """Return the drawing of an attribution's overlay. It is drawn from the array `map`, which this job has too."""
    (overlay,) = (each for each in drawn.artifacts if isinstance(each, Picture | PictureOfArrays) and each.name == "overlay")
    if overlay.drawing is None:
        raise ValueError("the overlay of an attribution must have a drawing")
    return overlay.drawing
