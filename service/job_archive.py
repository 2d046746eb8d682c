"""Answer a job with its artifacts as one zip file, so that a picture and its facts take one request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Query, Response

from jobstore.records import JobRecord
from schemas.artifacts import ArtifactDescription
from schemas.errors import FieldError
from schemas.methods import METHODS
from schemas.nearest_names import nearest_hint, nearest_names
from service.converters import zipped
from service.dependencies import Services
from service.echo import echo
from service.one_line_media import ZIP
from service.representations import file_name
from service.responses import job_json
from service.signed_addresses import Sign
from service.threads import on_thread_if_large
from service.validation_errors import invalid_parameters

JOB_FILE = "job.json"
PRIMARY, ARRAYS = "primary", "arrays"
_LARGE = 1024 * 1024  # bytes; copying less into a zip file, which is not compressed, takes about a millisecond

NamesQuery = Annotated[
    str,
    Query(
        max_length=2000,
        description="Names of the artifacts that the zip file has, separated by commas. "
        f"`{PRIMARY}` stands for the primary picture and `{ARRAYS}` for all arrays. Without names, it has all artifacts.",
        examples=["overlay,map"],
    ),
]


@dataclass(frozen=True)
class ArchiveChoice:
    """The artifacts that a caller wants in a zip file. An empty set stands for all of them."""

    names: frozenset[str]

    @classmethod
    def read(cls, text: str, method: str) -> ArchiveChoice:
        """Read the names that stand in a query, and check them against the artifacts that the method can make.

        Raises:
            InvalidParameters: the method makes no artifact of a name.
        """
        names = [name.strip() for name in text.split(",") if name.strip()]
        if errors := [_unknown(name, method) for name in names if not _is_made(name, method)]:
            raise invalid_parameters(errors)
        return cls(frozenset(names))

    def takes(self, artifact: ArtifactDescription) -> bool:
        """Return true if the artifact is wanted."""
        by_kind = (artifact.primary and PRIMARY in self.names) or (artifact.kind == "array" and ARRAYS in self.names)
        return not self.names or by_kind or artifact.name in self.names


def entry_name(artifact: ArtifactDescription) -> str:
    """Return the name of an artifact in a zip file. The slash of a nested layer becomes `%2F`, so that no two artifacts share a name."""
    return f"{quote(artifact.name, safe=' ()+,')}.{artifact.native.name}"


async def job_archive(
    services: Services, job: JobRecord, choice: ArchiveChoice, headers: Mapping[str, str], *, sign: Sign | None
) -> Response:
    """Return a succeeded job as a zip file with the artifacts that are wanted and, as `job.json`, the job itself.

    Args:
        services: gives the artifacts.
        job: the job.
        choice: the artifacts that are wanted.
        headers: further headers of the answer.
        sign: signs the addresses in the job; None if the caller needs no signature.

    Raises:
        Expired: an artifact no longer exists.
    """
    wanted = [artifact for artifact in job.artifacts if choice.takes(artifact)]
    contents = await services.contents.read_all(job, [artifact.name for artifact in wanted])
    files = [(entry_name(artifact), contents[artifact.name]) for artifact in wanted]
    files.append((JOB_FILE, job_json(job, sign).encode()))
    own = {
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'attachment; filename="{file_name(job.method, job.id)}.zip"',
    }
    archive = await on_thread_if_large(sum(len(content) for _, content in files), zipped, files, large=_LARGE)
    return Response(archive, 200, {**headers, **own}, ZIP)


def _is_made(name: str, method: str) -> bool:
    return name in (PRIMARY, ARRAYS) or any(_pattern(spec.name).fullmatch(name) for spec in METHODS[method].card.artifacts)


def _pattern(name: str) -> re.Pattern[str]:
    """Return the pattern of the names of an artifact that may be there once for each layer or channel, such as `map.{layer}`."""
    return re.compile(".+".join(map(re.escape, re.split(r"\{\w+\}", name))), re.DOTALL)


def _unknown(name: str, method: str) -> FieldError:
    made = [spec.name for spec in METHODS[method].card.artifacts]
    nearest, allowed = nearest_names(name, made), ", ".join([*made, PRIMARY, ARRAYS])
    return FieldError(
        pointer="/names",
        detail=f"The method {method} makes no artifact '{echo(name)}'.{nearest_hint(nearest)} Allowed: {allowed}.",
        allowed=allowed,
        got=echo(name),
        nearest=nearest or None,
    )
