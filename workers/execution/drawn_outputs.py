"""The output that a method has drawn for a job, before and after it is encoded, with the seconds that this took."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.artifacts import DeferredPicture, EncodedArtifact
from workers.contract.artifacts import Output


@dataclass(frozen=True)
class DrawnOutput:
    """The output of a method, before its artifacts are encoded. `seconds` is the time that drawing took."""

    output: Output
    seconds: float


@dataclass(frozen=True)
class RenderedOutput:
    """The output of a method with its encoded artifacts. `seconds` is the time that drawing and encoding took."""

    output: Output
    artifacts: tuple[EncodedArtifact | DeferredPicture, ...]
    seconds: float
