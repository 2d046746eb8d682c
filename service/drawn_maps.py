"""Draw the arrays that are maps, in a colormap that the caller chooses."""

from __future__ import annotations

import math

from rendering import encode
from rendering.charts.map_with_scale import map_with_scale
from rendering.sheets import MAX_SHEET_PIXELS
from schemas.artifacts import ArtifactDescription, Representation
from schemas.methods.colormap import Colormap

MAP_PICTURE = Representation("png", "image/png")
DEFAULT_COLORMAP: Colormap = "viridis"


def is_map(artifact: ArtifactDescription) -> bool:
    """Tell whether an artifact is one map (h, w) or several maps (n, h, w), and not too large to be drawn.

    These are the arrays `map` and, where a job has several maps, `map.…`.
    """
    named = artifact.name == "map" or artifact.name.startswith("map.")
    return artifact.kind == "array" and named and len(artifact.shape) in (2, 3) and 0 < math.prod(artifact.shape) <= MAX_SHEET_PIXELS


def drawn_map(npy: bytes, colormap: Colormap) -> bytes:
    """Return the PNG file of the maps in an `.npy` file, beside the scale of their values."""
    return encode.png(map_with_scale(encode.array(npy), colormap))
