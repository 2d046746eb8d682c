"""The names of the colormaps that a caller can ask for."""

from __future__ import annotations

from typing import Literal

Colormap = Literal["jet", "viridis", "inferno", "magma", "plasma", "turbo", "hot", "gray"]
