"""Encode the artifacts that a method draws as the bytes that are stored. Equal pixels, numbers and texts give equal bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    )
