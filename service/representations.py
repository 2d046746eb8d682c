"""Choose the representation of an artifact that a caller gets, and name it with an ETag."""

from __future__ import annotations

import hashlib
import json
import re

from jobstore.records import JobRecord
from schemas.artifacts import ArtifactDescription, Representation
from schemas.errors import NotAcceptable
from service.content_negotiation import preferred_media_type
from service.version import service_version


def choose(artifact: ArtifactDescription, accept: str | None, wanted: str | None) -> Representation:
    """Return the representation named `wanted` (from `?format=`), or the one that the `Accept` header prefers if `wanted` is None.

    Raises:
        NotAcceptable: The artifact has no such representation.
    """
    every = artifact.representations
    if wanted is None:
        media_type = preferred_media_type(accept, [each.media_type for each in every])
        found = next((each for each in every if each.media_type == media_type), None)
    else:
        found = next((each for each in every if each.name == wanted.lower()), None)
    if found is None:
        allowed = ", ".join(f"{each.name} ({each.media_type})" for each in every)
        raise NotAcceptable(
            f"This artifact is {artifact.media.phrase}. It is available as {allowed}, but the request asks for {wanted or accept}.",
            allowed=allowed,
            got=wanted or accept,
        )
    return found


def etag(job: JobRecord, artifact: ArtifactDescription, representation: Representation) -> str:
    """Return the strong ETag of one representation: no two representations of an artifact have the same.

    The tag of a picture that is drawn when it is fetched names everything that the picture depends on. So it is known before the picture
    is drawn, and stays the same afterwards.
    """
    digest = artifact.sha256
    if artifact.name in job.drawings:
        arrays = [each.sha256 for each in job.artifacts if each.kind == "array"]
        parts = [service_version(), job.drawings[artifact.name], arrays, job.image]
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return f'"{digest}"' if representation.native else f'"{digest}-{representation.name}"'


def matches(if_none_match: str | None, tag: str) -> bool:
    """Return True if an `If-None-Match` header names `tag`, so that the caller already has this representation (RFC 9110, 13.1.2)."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag in re.findall(r'"[^"]*"', if_none_match)


def file_name(*words: str) -> str:
    """Join the words to a name that is safe in a header and in a zip file: letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", "_".join(words)).lstrip(".") or "artifact"
