"""Choose the representation of an artifact that a caller gets, and name it with an ETag."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence

from jobstore.records import JobRecord
from schemas.artifacts import ArtifactDescription, Representation
from schemas.errors import NotAcceptable
from service.content_negotiation import preferred_media_type
from service.echo import echo
from service.version import service_version


def choose(artifact: ArtifactDescription, accept: str | None, wanted: str | None, more: Sequence[Representation] = ()) -> Representation:
    """Return the representation named `wanted` (from `?format=`), or the one that the `Accept` header prefers if `wanted` is None.

    `more` are representations that this artifact has beside those of its kind.

    Raises:
        NotAcceptable: The artifact has no such representation.
    """
    return choose_from([*artifact.representations, *more], accept, wanted, f"This artifact is {artifact.media.phrase}.")


def choose_from(every: Sequence[Representation], accept: str | None, wanted: str | None, subject: str) -> Representation:
    """Return the representation of `every` that is named `wanted`, or the one that `Accept` prefers; the first one if it has no preference.

    Raises:
        NotAcceptable: There is none. The error begins with the sentence `subject`.
    """
    if wanted is None:
        media_type = preferred_media_type(accept, [each.media_type for each in every])
        found = next((each for each in every if each.media_type == media_type), None)
    else:
        found = next((each for each in every if each.name == wanted.lower()), None)
    if found is None:
        allowed = ", ".join(f"{each.name} ({each.media_type})" for each in every)
        got = echo(wanted or accept or "")
        raise NotAcceptable(f"{subject} It is available as {allowed}, but the request asks for {got}.", allowed=allowed, got=got)
    return found


def etag(job: JobRecord, artifact: ArtifactDescription, representation: Representation, width: int | None = None) -> str:
    """Return the strong ETag of one representation: no two representations of an artifact have the same, nor have two of its thumbnails.

    The tag of a picture that is drawn when it is fetched names everything that the picture depends on. So it is known before the picture
    is drawn, and stays the same afterwards.
    """
    digest = artifact.sha256
    if artifact.name in job.drawings:
        arrays = [each.sha256 for each in job.artifacts if each.kind == "array"]
        parts = [service_version(), job.drawings[artifact.name], arrays, job.image]
        digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    if width is not None:
        return thumbnail_etag(str(digest), representation, width)
    return f'"{digest}"' if representation.native else f'"{digest}-{representation.name}"'


def thumbnail_etag(digest: str, representation: Representation, width: int) -> str:
    """Return the strong ETag of a thumbnail of the image with this digest. `width` is the one that was asked for, in pixels."""
    return f'"{digest}-{representation.name}-{width}"'


def matches(if_none_match: str | None, tag: str) -> bool:
    """Return True if an `If-None-Match` header names `tag`, so that the caller already has this representation (RFC 9110, 13.1.2)."""
    if if_none_match is None:
        return False
    return if_none_match.strip() == "*" or tag in re.findall(r'"[^"]*"', if_none_match)


def file_name(*words: str) -> str:
    """Join the words to a name that is safe in a header and in a zip file: letters, digits, dots, dashes and underscores."""
    return re.sub(r"[^A-Za-z0-9._-]+", "_", "_".join(words)).lstrip(".") or "artifact"
