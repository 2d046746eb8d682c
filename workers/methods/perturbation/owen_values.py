"""Owen values by a tree of axis-aligned halves, with the tree and the order of `PartitionExplainer` in the package shap.

The package builds the whole tree before it starts, and keeps a mask of all pixels for each part that waits. Here a part is a block that is
halved when its turn comes, and what is visible around it is a list of blocks.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from math import prod
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float64


class ImageBlock(NamedTuple):
    """A part of an input (H, W, C): its rows, columns and channels, each from a first one up to an end that it does not reach."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    channels: tuple[int, int]

    @property
    def sides(self) -> tuple[int, int, int]:
        """The numbers of rows, columns and channels."""
        rows, columns, channels = self
        return rows[1] - rows[0], columns[1] - columns[0], channels[1] - channels[0]

    @property
    def size(self) -> int:
        """The number of values."""
        return prod(self.sides)

    @property
    def slices(self) -> tuple[slice, slice, slice]:
        """The slices that cut the block out of an array (H, W, C)."""
        return slice(*self.rows), slice(*self.columns), slice(*self.channels)

    def halves(self) -> tuple[ImageBlock, ImageBlock] | None:
        """Return both halves, or None for a single value.

        The longer one of height and width is halved, the height if they are equal. The channels are halved when a single pixel is left.
        The first half of an odd number is the larger one. (The package halves the other way, but numbers the values from the end.)
        """
        height, width, channels = self.sides
        if height == width == channels == 1:
            return None
        name = "rows" if height >= width and height > 1 else "columns" if width > 1 else "channels"
        start, end = getattr(self, name)
        middle = end - (end - start) // 2
        return self._replace(**{name: (start, middle)}), self._replace(**{name: (middle, end)})


@dataclass(frozen=True)
class Part:
    """A block, and what it adds to the scores in one surrounding.

    Attributes:
        block: the part of the input.
        around: the blocks that are visible beside it.
        without: the scores while it is covered.
        shown: the scores while it is visible.
        weight: how much this surrounding counts.
    """

    block: ImageBlock
    around: tuple[ImageBlock, ...]
    without: Float64[np.ndarray, " n"]
    shown: Float64[np.ndarray, " n"]
    weight: float

    @property
    def share(self) -> Float64[np.ndarray, " n"]:
        """The part of the block's values that this surrounding adds."""
        return (self.shown - self.without) * self.weight


@dataclass(frozen=True)
class Division:
    """A part that is to be divided, and its halves."""

    part: Part
    halves: tuple[ImageBlock, ImageBlock]

    def visible(self) -> tuple[tuple[ImageBlock, ...], tuple[ImageBlock, ...]]:
        """Return the blocks that are visible in the two samples: the first half and what is around it, and the same for the second."""
        first, second = self.halves
        return (*self.part.around, first), (*self.part.around, second)

    def children(self, first_shown: Float64[np.ndarray, " n"], second_shown: Float64[np.ndarray, " n"]) -> tuple[Part, Part, Part, Part]:
        """Return each half, once with its sibling covered and once with it visible.

        Args:
            first_shown: the scores of the sample with the first half visible.
            second_shown: the scores of the sample with the second half visible.
        """
        part, (first, second), weight = self.part, self.halves, self.part.weight / 2
        with_first, with_second = self.visible()
        return (
            Part(first, part.around, part.without, first_shown, weight),
            Part(second, part.around, part.without, second_shown, weight),
            Part(first, with_second, second_shown, part.shown, weight),
            Part(second, with_first, first_shown, part.shown, weight),
        )


class PartitionTree:
    """The parts of one input that have not been divided yet. Those that change a score most are divided first."""

    def __init__(self, shape: tuple[int, int, int], none: Float64[np.ndarray, " n"], whole: Float64[np.ndarray, " n"]) -> None:
        """Start with the whole input as the only part.

        Args:
            shape: the height, width and channels of the input.
            none: the scores with the whole input covered.
            whole: the scores of the whole input.
        """
        self._shape, self._order = shape, count()
        self._waiting: list[tuple[float, int, Part]] = []
        self._single: list[Part] = []
        self._at_work: list[Part] = []
        height, width, channels = shape
        self.add([Part(ImageBlock((0, height), (0, width), (0, channels)), (), none, whole, 1.0)])

    def add(self, parts: Sequence[Part]) -> None:
        """Let parts wait for their turn. Among equal ones, the first comes first."""
        for part in parts:
            heapq.heappush(self._waiting, (-float(np.abs(part.share).max()), next(self._order), part))

    def next_divisions(self, most: int) -> list[Division]:
        """Take up to `most` parts and return their divisions. The list is empty if only single values are left."""
        found: list[Division] = []
        while self._waiting and len(found) < most:
            part = heapq.heappop(self._waiting)[-1]
            halves = part.block.halves()
            if halves is None:
                self._single.append(part)
            else:
                found.append(Division(part, halves))
                self._at_work.append(part)
        return found

    def divide(self, division: Division, first_shown: Float64[np.ndarray, " n"], second_shown: Float64[np.ndarray, " n"]) -> None:
        """Put the halves in the place of a part that `next_divisions` has taken. The scores are those of `Division.children`."""
        self._at_work = [part for part in self._at_work if part is not division.part]
        self.add(division.children(first_shown, second_shown))

    def parts(self) -> list[Part]:
        """Return all parts that have not been divided, also those whose halves are being shown."""
        return [*self._single, *self._at_work, *(part for _, _, part in self._waiting)]

    def values(self) -> Float64[np.ndarray, "n H W C"]:
        """Return the Owen values. Each part that has not been divided shares its own equally among the values inside it."""
        parts = self.parts()
        found = np.zeros((len(parts[0].shown), *self._shape))
        for part in parts:
            found[(slice(None), *part.block.slices)] += (part.share / part.block.size)[:, None, None, None]
        return found


def mask_of(visible: Sequence[ImageBlock], shape: tuple[int, int, int]) -> Bool[np.ndarray, "H W C"]:
    """Return where an input of this shape is visible."""
    mask = np.zeros(shape, bool)
    for block in visible:
        mask[block.slices] = True
    return mask
