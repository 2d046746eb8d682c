"""The names of the colormaps that a caller can ask for."""

from __future__ import annotations

from typing import Literal

Colormap = Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"]
SignedColormap = Literal["signed"]
"""Blue for values below 0, white for 0, red for values above 0."""
