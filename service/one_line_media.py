"""The media types in which `POST /v1/{method}` can answer.

An answer is one artifact of the job (an image, an animation or a document), the whole job as JSON with its arrays, all arrays in one
`.npz` file, or all artifacts in one zip file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from schemas.artifacts import MEDIA, ArtifactDescription, ArtifactKind, Representation
from schemas.methods.card import ArtifactSpec, MethodCard

JSON, NPZ, ZIP = "application/json", "application/x-npz", "application/zip"


def _one_artifact_answers() -> Mapping[str, tuple[ArtifactKind, Representation]]:
    """Return the kind and the representation that answer each media type. The first kind in `MEDIA` wins: WebP means the image."""
    found: dict[str, tuple[ArtifactKind, Representation]] = {}
    for kind, media in MEDIA.items():
        for representation in media.representations if media.one_line != "none" else ():
            if representation.media_type != JSON:
                found.setdefault(representation.media_type, (kind, representation))
    return MappingProxyType(found)


ONE_ARTIFACT_ANSWERS = _one_artifact_answers()


def offered(card: MethodCard) -> list[str]:
    """Return the media types in which the method can answer, the preferred one first."""
    single = [media_type for media_type in ONE_ARTIFACT_ANSWERS if any(_answers(spec, media_type) for spec in card.artifacts)]
    arrays = [NPZ] if any(spec.kind == "array" for spec in card.artifacts) else []
    return [*single, JSON, *arrays, ZIP]


def single_artifact(artifacts: Sequence[ArtifactDescription], media_type: str) -> tuple[ArtifactDescription, Representation] | None:
    """Return the artifact that answers as `media_type`, and its representation. Return None if the job has no such artifact."""
    if media_type not in ONE_ARTIFACT_ANSWERS:
        return None
    _, representation = ONE_ARTIFACT_ANSWERS[media_type]
    return next(((artifact, representation) for artifact in artifacts if _answers(artifact, media_type)), None)


def can_answer(artifacts: Sequence[ArtifactDescription], media_type: str) -> bool:
    """Return False if `media_type` needs an artifact that the job does not have. This happens where an artifact is optional."""
    return media_type in (JSON, NPZ, ZIP) or single_artifact(artifacts, media_type) is not None


def _answers(artifact: ArtifactSpec | ArtifactDescription, media_type: str) -> bool:
    kind, _ = ONE_ARTIFACT_ANSWERS[media_type]
    may_stand_alone = artifact.primary or MEDIA[kind].one_line == "first"
    return artifact.kind == kind and may_stand_alone and artifact.media_type in (None, media_type)
