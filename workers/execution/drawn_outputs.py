"""The output that a method has drawn for a job, before and after it is encoded, with the seconds that this took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schemas.artifacts import DeferredPicture, EncodedArtifact
from workers.contract.artifacts import Output


@dataclass(frozen=True)
class DrawnOutput:
    """The output of a method, before its artifacts are encoded. `facts` is JSON, and `seconds` is the time that drawing took."""

    output: Output
    facts: str
    seconds: float


def output_and_facts(draw: Callable[..., Output], *args: object) -> tuple[Output, str]:
    """Return what `draw` returns, and its facts as JSON. A thousand channels have 100 KB of facts, so no event loop should write them."""
    output = draw(*args)
    return output, output.facts.model_dump_json()


@dataclass(frozen=True)
class RenderedOutput:
    """The output of a method with its encoded artifacts. `facts` is JSON, and `seconds` is the time that drawing and encoding took."""

    output: Output
    facts: str
    artifacts: tuple[EncodedArtifact | DeferredPicture, ...]
    seconds: float
