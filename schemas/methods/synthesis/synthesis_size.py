"""The size of a synthesised image: one number for a square, or (height, width)."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

_Side = Annotated[int, Field(ge=4)]
SynthesisSize = _Side | tuple[_Side, _Side]
"""The side of a square in pixels, or (height, width); each at least 4."""


def sides_of(size: int | tuple[int, int]) -> tuple[int, int]:
    """Return (height, width) of a size."""
    return (size, size) if isinstance(size, int) else size


def size_text(sides: tuple[int, int]) -> str:
    """Return (height, width) in words: `128`, or `32×24` if it is no square."""
    return str(sides[0]) if sides[0] == sides[1] else f"{sides[0]}×{sides[1]}"
