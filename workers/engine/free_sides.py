"""Find which sides a model with free sides takes: of what number they must be multiples, and how small they may be.

Nothing is computed: the sizes of all maps follow from the layers for a given size of the input. A size is taken if no map is empty, and if
the maps that a layer adds or joins have the same size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count, islice
from math import isqrt
from typing import NamedTuple

from schemas.models import LayerKind
from workers.engine.axis_changes import AxisChange, Resample, Spread, Trim, Window
from workers.engine.image_resizing import MapSides
from workers.engine.layer_kinds import kind_of
from workers.engine.position_changes import MAP_RANK, position_changes
from workers.engine.topology import GraphLayer


class SideRule(NamedTuple):
    """A free side is a multiple of `multiple` plus `remainder`, and at least `smallest`, which is such a number."""

    multiple: int = 1
    remainder: int = 0
    smallest: int = 1


# Strides are nearly always powers of two; other numbers come last.
_MULTIPLES = (1, 2, 4, 8, 16, 32, 64, 128, 3, 6, 12, 24, 48, 96, 5, 10, 20, 40, 80, 9, 18, 36, 7, 14, 28, 27)
_ABOUT = 1024  # sizes above this number are tried, so that no map is empty only because the input is small


def free_side_rule(layers: Sequence[GraphLayer], input_name: str, longest: int) -> SideRule:
    """Return the rule for the free sides of an input. If none is found, the sides are not known to need anything.

    Args:
        layers: the model's layers in topological order.
        input_name: the input that takes the photo. Its other sides, if they are not free, are the model's own.
        longest: the largest side to try as the smallest one.
    """
    for multiple in _MULTIPLES:
        # Times a prime, so that the size is a multiple of no other stride by chance.
        first, second, third = (multiple * prime for prime in islice(_primes(max(11, _ABOUT // multiple)), 3))
        sizes = ((first, second), (second, third), *sizes_plus(multiple, 0, _ABOUT))
        if all(takes(layers, input_name, size) for size in sizes):
            return SideRule(multiple, 0, _smallest(layers, input_name, multiple, 0, longest))
    for multiple, remainder in multiples_plus():
        if all(takes(layers, input_name, size) for size in sizes_plus(multiple, remainder, _ABOUT)):
            return SideRule(multiple, remainder, _smallest(layers, input_name, multiple, remainder, longest))
    return SideRule()


def multiples_plus(most: int = 64) -> Iterator[tuple[int, int]]:
    """Yield (multiple, remainder) with powers of two up to `most`. The first U-Net takes multiples of 16 plus 12."""
    multiple = 2
    while multiple <= most:
        yield from ((multiple, remainder) for remainder in range(1, multiple))
        multiple *= 2


def sizes_plus(multiple: int, remainder: int, about: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return two sizes of about `about` pixels a side. Their sides follow each other, so a larger multiple does not suit all of them."""
    first = max(2, about // multiple)
    a, b, c, d = (multiple * (first + number) + remainder for number in range(4))
    return (a, b), (c, d)


def _primes(first: int) -> Iterator[int]:
    """Yield the prime numbers from `first` on."""
    return (number for number in count(first) if all(number % divisor for divisor in range(2, isqrt(number) + 1)))


def takes(layers: Sequence[GraphLayer], input_name: str, size: tuple[int, int]) -> bool:
    """Return whether the model takes an input of `size` (height, width), as far as the sizes of its maps are known."""
    found: dict[str, MapSides] = {}
    for layer in layers:
        if len(layer.output_shape) != MAP_RANK:
            continue
        if layer.is_input and not layer.inbound:
            found[layer.path] = _given(layer, size) if layer.path == input_name else (layer.output_shape[1], layer.output_shape[2])
            continue
        read = [found[path] for path in layer.inbound if path in found]
        if kind_of(layer.layer) is LayerKind.MERGE and not _agree(read):
            return False
        found[layer.path] = _sides_after(layer, read)
        if any(side is not None and side < 1 for side in found[layer.path]):
            return False
    return True


def _smallest(layers: Sequence[GraphLayer], input_name: str, multiple: int, remainder: int, longest: int) -> int:
    last = max(1, (longest - remainder) // multiple)
    times = 0 if remainder else 1
    while times < last and not takes(layers, input_name, (times * multiple + remainder, times * multiple + remainder)):
        times += 1
    return times * multiple + remainder


def _given(layer: GraphLayer, size: tuple[int, int]) -> MapSides:
    own = layer.output_shape[1:3]
    return (own[0] or size[0], own[1] or size[1])


def _agree(maps: Sequence[MapSides]) -> bool:
    """Return whether maps can be added or joined. A side of 1 fits any other, and so does one that is not known."""
    return all(len({sides[axis] for sides in maps if sides[axis] not in (None, 1)}) <= 1 for axis in (0, 1))


def _sides_after(layer: GraphLayer, read: Sequence[MapSides]) -> MapSides:
    if not read:
        return layer.output_shape[1], layer.output_shape[2]
    sides = _largest(read)
    changes = position_changes(layer, sides) if len(layer.output_shape) == MAP_RANK else None
    if changes is None:
        return layer.output_shape[1], layer.output_shape[2]
    return _length(sides[0], changes[0]), _length(sides[1], changes[1])


def _largest(maps: Sequence[MapSides]) -> MapSides:
    rows, columns = ([sides[axis] for sides in maps] for axis in (0, 1))
    return (None if None in rows else max(side or 0 for side in rows)), (None if None in columns else max(side or 0 for side in columns))


def _length(side: int | None, changes: Sequence[AxisChange]) -> int | None:
    for change in changes:
        if isinstance(change, Resample) and change.count is not None:
            side = change.count
        elif side is None:
            return None
        elif isinstance(change, Window | Spread):
            side = change.count(side)
        elif isinstance(change, Trim):
            side -= change.before + change.after
        elif isinstance(change, Resample):
            side *= change.factor or 1
    return side
