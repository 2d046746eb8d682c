"""Encode the artifacts that a method draws as the bytes that are stored. Equal pixels, numbers and texts give equal bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rendering.encode import npy, png, webp_animation
from schemas.artifacts import DeferredPicture, EncodedArtifact
from workers.contract.artifacts import Animation, Array, Document, DrawnArtifact, Picture, PictureOfArrays

ENCODERS: Mapping[type[DrawnArtifact], Callable[[Any], bytes]] = {
    Picture: lambda picture: png(picture.image),
    Animation: lambda animation: webp_animation(animation.frames, animation.milliseconds),
    Array: lambda array: npy(array.array),
    Document: lambda document: document.text.encode(),
}
"""For each class of artifact that is stored at once, the function that returns the bytes."""
_LARGE = 2**20  # bytes of pixels or numbers, which take a few milliseconds to encode


def in_steps(artifacts: Sequence[DrawnArtifact]) -> list[list[DrawnArtifact]]:
    """Divide artifacts into steps that threads can do side by side: each large one is a step, and all others together are one.

    A step costs a thread's time to begin and to end, which is more than a small array takes.
    """
    small = [artifact for artifact in artifacts if _size(artifact) < _LARGE]
    large = [[artifact] for artifact in artifacts if _size(artifact) >= _LARGE]
    return [*large, *([small] if small else [])]


def encode_artifacts(artifacts: Sequence[DrawnArtifact]) -> dict[str, EncodedArtifact | DeferredPicture]:
    """Return the artifacts as they are stored, by their names."""
    return {artifact.name: encode_artifact(artifact) for artifact in artifacts}


def encode_artifact(artifact: DrawnArtifact) -> EncodedArtifact | DeferredPicture:
    """Return the artifact as it is stored: its bytes and its description, or its description and its drawing."""
    if isinstance(artifact, PictureOfArrays):
        drawing = artifact.drawing
        return DeferredPicture.of(drawing.model_dump_json(), name=artifact.name, shape=artifact.shape, needs_photo=drawing.needs_photo)
    return EncodedArtifact.of(
        ENCODERS[type(artifact)](artifact),
        name=artifact.name,
        kind=artifact.kind,
        shape=artifact.shape,
        dtype=artifact.dtype,
        primary=artifact.is_primary,
        media_type=artifact.document_type,
        on_photo=artifact.on_photo if isinstance(artifact, Array) else None,
    )


def _size(artifact: DrawnArtifact) -> int:
    """Return the bytes that have to be encoded."""
    match artifact:
        case Picture():
            return artifact.image.nbytes
        case Animation():
            return artifact.frames.nbytes
        case Array():
            return artifact.array.nbytes
        case _:
            return 0
