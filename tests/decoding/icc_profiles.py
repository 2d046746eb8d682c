"""Small ICC profiles, built by hand after ICC.1:2022. Their numbers are those of the D50 connection space."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from itertools import product

# The columns of sRGB's matrix: X, Y and Z of its red, green and blue (IEC 61966-2-1, adapted to D50 by Bradford).
SRGB_COLUMNS = ((0.4360, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
DISPLAY_P3_COLUMNS = ((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841))
_SRGB_CURVE = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
_D50 = (0.9642, 1.0, 0.8249)


def matrix_profile(columns: Sequence[Sequence[float]], curve: bytes | None = None, **tags: bytes) -> bytes:
    """Return a profile of RGB with these X, Y, Z of its red, green and blue, and one curve (that of sRGB by default) for all three."""
    curve = parametric(3, *_SRGB_CURVE) if curve is None else curve
    colours = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    more = {name.encode(): content for name, content in tags.items()}
    return _profile(b"RGB ", b"XYZ ", b"mntr", {**colours, b"rTRC": curve, b"gTRC": curve, b"bTRC": curve, **more})


def parametric(kind: int, *numbers: float) -> bytes:
    """Return a curve of a type from 0 to 4 (section 10.18)."""
    return b"para" + struct.pack(">4xH2x", kind) + _fixed(*numbers)


def sampled(*points: int) -> bytes:
    """Return a curve of numbers of 16 bits (section 10.6). Without one, values are light; a single one is 256 times the gamma."""
    return b"curv" + struct.pack(f">4xI{len(points)}H", len(points), *points)


def grey_table() -> bytes:
    """Return the table (A2B0) of a profile of RGB whose corners have the CIE L* 0 where red is 0, and 100 elsewhere."""
    return _table(3, lambda red, *_: 100 * red)


def linear_grey_profile() -> bytes:
    """Return a profile of grey whose values are proportional to light."""
    return _profile(b"GRAY", b"XYZ ", b"mntr", {b"kTRC": sampled()})


def cmyk_profile(lightness: Callable[[int, int, int, int], float]) -> bytes:
    """Return a profile of CMYK without colours: CIE L* from 0 to 100 of each combination of no ink (0) and full ink (1)."""
    return _profile(b"CMYK", b"Lab ", b"prtr", {b"A2B0": _table(4, lightness)})


def _table(channels: int, lightness: Callable[..., float]) -> bytes:
    ends = b"\0\xff"
    nodes = product((0, 1), repeat=channels)
    table = b"".join(bytes((round(lightness(*node) * 2.55), 128, 128)) for node in nodes)
    identity = bytes(range(256))
    head = b"mft1" + struct.pack(">4xBBBx", channels, 3, len(ends)) + _fixed(1, 0, 0, 0, 1, 0, 0, 0, 1)
    return head + identity * channels + table + identity * 3


def _fixed(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _xyz(values: Sequence[float]) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(*values)


def _profile(space: bytes, connection: bytes, device: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"wtpt": _xyz(_D50), **tags}
    place, table, contents = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">II", place + len(contents), len(content))
        contents += content + bytes(-len(content) % 4)
    body = struct.pack(">I", len(tags)) + table + contents
    header = struct.pack(
        ">I4s4s4s4s4s12s4s28s",
        128 + len(body),
        b"",
        b"\x02\x40\0\0" if connection == b"Lab " else b"\x04\x20\0\0",
        device,
        space,
        connection,
        b"",
        b"acsp",
        b"",
    )
    return header + _fixed(*_D50) + bytes(128 - len(header) - 12) + body
