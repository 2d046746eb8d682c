"""The ways to draw a map on a photo, one module each. Each returns an overlay and a heatmap, both at the photo's size."""

from __future__ import annotations

import numpy as np
from jaxtyping import UInt8

OverlayAndHeatmap = tuple[UInt8[np.ndarray, "H W 3"], UInt8[np.ndarray, "H W 3"]]
"""The map drawn on the photo, and the map drawn alone: both uint8 RGB at the photo's size."""
