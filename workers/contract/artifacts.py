"""What a method draws: the artifacts of a job, its facts and its warnings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from schemas.methods.card import DocumentType
from schemas.methods.facts import Facts
from workers.contract.arrays import UInt8


@dataclass(frozen=True)
class Picture:
    """An image artifact: uint8 RGB (H, W, 3)."""

    name: str
    image: UInt8
    primary: bool = False


@dataclass(frozen=True)
class Animation:
    """An animation artifact: uint8 RGB frames (n, H, W, 3), each shown for `milliseconds`, the last for `hold`, over and over."""

    name: str
    frames: UInt8
    milliseconds: int = 100
    hold: int = 1500


@dataclass(frozen=True)
class Array:
    """An array artifact."""

    name: str
    array: NDArray[np.generic]


@dataclass(frozen=True)
class Document:
    """A document artifact: text of a media type."""

    name: str
    media_type: DocumentType
    text: str


@dataclass(frozen=True)
class Output:
    """What `draw` returns: all of a job's results."""

    artifacts: tuple[Picture | Animation | Array | Document, ...]
    facts: Facts
    warnings: tuple[str, ...] = ()
