"""The changes that a layer can make to the positions on one axis of a map, such as windows, cuts, padding, mirroring and mixing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """Each position of the output sees `kernel` positions of the input, `dilation` apart; the windows begin `stride` positions apart.

    With `same`, padding gives ⌈length / stride⌉ windows. Otherwise all windows lie inside the input.
    """

    kernel: int
    stride: int
    dilation: int = 1
    same: bool = False

    @property
    def span(self) -> int:
        """The number of positions from the first to the last that a window sees."""
        return (self.kernel - 1) * self.dilation + 1

    def count(self, length: int) -> int:
        """Return the number of windows on an input of `length` positions."""
        return math.ceil(length / self.stride) if self.same else max(0, (length - self.span) // self.stride + 1)

    def padding_before(self, length: int | None) -> int:
        """Return the padding before the first position. By TensorFlow's rule for SAME, the smaller half of all padding is there.

        A free length (None) counts as one that the stride divides.
        """
        if not self.same:
            return 0
        beyond = self.stride if length is None or length % self.stride == 0 else length % self.stride
        return max(self.span - beyond, 0) // 2


@dataclass(frozen=True)
class Trim:
    """Positions are cut off before and after. A negative number counts positions of padding that are added."""

    before: int
    after: int


@dataclass(frozen=True)
class Mirror:
    """The positions are put in the opposite order."""


@dataclass(frozen=True)
class Spread:
    """A transposed convolution: the opposite of a `Window` with this kernel and stride, with `extra` positions added at the end."""

    kernel: int
    stride: int
    same: bool
    extra: int = 0

    def count(self, length: int) -> int:
        """Return the number of output positions for an input of `length` positions."""
        return length * self.stride + (0 if self.same else max(self.kernel - self.stride, 0)) + self.extra


@dataclass(frozen=True)
class Resample:
    """The positions are resized to `count` positions, or `factor` times as many, with half-pixel centres."""

    count: int | None
    factor: int | None
    interpolation: str
    antialias: bool = False


@dataclass(frozen=True)
class Mix:
    """Every position of the output sees the whole input, but stays in its place."""


AxisChange = Window | Trim | Mirror | Spread | Resample | Mix
ChangesOfBothAxes = tuple[Sequence[AxisChange], Sequence[AxisChange]]
"""The changes of the rows and those of the columns, each in their order."""
