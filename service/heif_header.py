"""Read the header of AVIF and HEIF (HEIC) files: which of the two a file is, and its width and height.

Both are boxes in boxes (ISO/IEC 14496-12 and 23008-12). The libraries that decode them are kept out of the service, which reads what
anybody sends: they run in the bounded child process of `decoding` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_AVIF = frozenset({b"avif", b"avis"})
_HEIF = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
_LONGEST_TYPE_BOX = 512  # bytes; there are about ten brands of four bytes
_MOST_BOXES = 10_000  # in one box; a file of 100 tiles has a few hundred


def heif_format(content: bytes) -> Literal["AVIF", "HEIF"] | None:
    """Return which of the two formats a file has by the brands that it claims, or None if it has neither.

    Pillow calls HEIC files `HEIF`. A file may claim only the container (`mif1`) first, and the coding after it.
    """
    if content[4:8] != b"ftyp":
        return None
    length = min(int.from_bytes(content[:4], "big"), _LONGEST_TYPE_BOX)
    brands = {content[8:12], *(content[start : start + 4] for start in range(16, length, 4))}
    if brands & _AVIF:
        return "AVIF"
    return "HEIF" if brands & _HEIF else None


@dataclass(frozen=True)
class HeifSizes:
    """(width, height) of the picture, as it is shown, and of the largest coded image in the file."""

    picture: tuple[int, int]
    largest: tuple[int, int]


def heif_sizes(content: bytes) -> HeifSizes | None:
    """Return the sizes in the header of an AVIF or HEIF file, or None if the header does not say them.

    A coded image has a property `ispe` with its size, and may have a property `clap` with the part that is shown: encoders fill the last
    blocks of 8 × 8 pixels up. Beside the picture, a file holds its thumbnail and the tiles that it is put together from.
    """
    for meta_start, end in _boxes(content, 0, len(content), b"meta"):
        start = meta_start + 4  # after version and flags
        for properties in _boxes(content, start, end, b"iprp"):
            for container in _boxes(content, *properties, b"ipco"):
                found = list(_boxes(content, *container))
                sizes = [_two_numbers(content, each[0] + 4) for each in found if content[each[0] - 4 : each[0]] == b"ispe"]
                if not sizes:
                    continue
                largest = max(sizes, key=lambda size: size[0] * size[1])
                own = [found[number - 1] for number in _primary_properties(content, (start, end), properties) if 0 < number <= len(found)]
                return HeifSizes(_shown(content, own) or largest, largest)
    return None


def _shown(content: bytes, properties: list[tuple[int, int]]) -> tuple[int, int] | None:
    """Return the size that the properties of one image give it."""
    size: tuple[int, int] | None = None
    for start, end in properties:
        kind = content[start - 4 : start]
        if kind == b"ispe" and end - start >= 12:
            size = _two_numbers(content, start + 4)
    for start, end in properties:
        if content[start - 4 : start] == b"clap" and end - start >= 16 and size is not None:
            (width, parts), (height, parts_down) = _two_numbers(content, start), _two_numbers(content, start + 8)
            if parts and parts_down:
                size = min(size[0], width // parts), min(size[1], height // parts_down)
    return size


def _primary_properties(content: bytes, meta: tuple[int, int], properties: tuple[int, int]) -> list[int]:
    """Return the numbers, from 1, of the properties that belong to the picture (the primary item)."""
    for start, stop in _boxes(content, *meta, b"pitm"):
        if stop - start < 6:
            return []
        primary = int.from_bytes(content[start + 4 : start + (6 if content[start] == 0 else 8)], "big")
        for begin, end in _boxes(content, *properties, b"ipma"):
            if found := _associated(content, begin, end, primary):
                return found
    return []


def _associated(content: bytes, start: int, end: int, item: int) -> list[int]:
    if end - start < 8:
        return []
    id_bytes = 2 if content[start] < 1 else 4
    number_bytes = 2 if content[start + 3] & 1 else 1
    at = start + 8
    for _ in range(min(int.from_bytes(content[start + 4 : at], "big"), _MOST_BOXES)):
        if at + id_bytes + 1 > end:
            break
        count, first = content[at + id_bytes], at + id_bytes + 1
        if int.from_bytes(content[at : at + id_bytes], "big") == item:
            places = (first + place * number_bytes for place in range(count))
            mask = (1 << (8 * number_bytes - 1)) - 1  # the first bit says whether the property is essential
            return [int.from_bytes(content[place : place + number_bytes], "big") & mask for place in places]
        at = first + count * number_bytes
    return []


def _two_numbers(content: bytes, start: int) -> tuple[int, int]:
    return int.from_bytes(content[start : start + 4], "big"), int.from_bytes(content[start + 4 : start + 8], "big")


def _boxes(content: bytes, start: int, end: int, kind: bytes | None = None) -> Iterator[tuple[int, int]]:
    """Yield where the contents of the boxes between `start` and `end` begin and end: those of one kind, or of every kind.

    The four bytes before the beginning are the kind.
    """
    for _ in range(_MOST_BOXES):
        if start + 8 > end:
            return
        length, header = int.from_bytes(content[start : start + 4], "big"), 8
        if length == 1:  # a box of more than 4 GiB has another header; an image has none
            return
        stop = end if length == 0 else min(start + length, end)
        if stop < start + header:
            return
        if kind is None or content[start + 4 : start + 8] == kind:
            yield start + header, stop
        start = stop
