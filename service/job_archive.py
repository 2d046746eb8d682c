"""Answer a job with its artifacts as one zip file, so that a picture and its facts take one request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, TypeVar
from urllib.parse import quote

from fastapi import Query, Response

from jobstore.files import digest_of
from jobstore.records import JobRecord
from schemas.artifacts import ArtifactDescription
from schemas.errors import FieldError
from schemas.jobs import Artifact
from schemas.methods import METHODS
from schemas.nearest_names import nearest_hint, nearest_names
from service.converters import zipped
from service.dependencies import Services
from service.echo import echo
from service.one_line_media import ZIP
from service.representations import file_name
from service.responses import job_json
from service.threads import on_thread_if_large
from service.validation_errors import invalid_parameters

_Described = TypeVar("_Described", bound=ArtifactDescription)
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


def as_in_archive(artifact: _Described, job: JobRecord, *, is_there: bool) -> _Described:
    """Return the description of an artifact as a zip file shows it, so that the file is the same whenever it is downloaded.

    If the artifact is a picture that is drawn when it is fetched and that is not in the file, `sha256` and `size` are null, whether it has
    been fetched elsewhere or not.
    """
    return artifact if is_there or artifact.name not in job.drawings else artifact.model_copy(update={"sha256": None, "size": None})


async def job_archive(services: Services, job: JobRecord, choice: ArchiveChoice, headers: Mapping[str, str]) -> Response:
    """Return a succeeded job as a zip file with the artifacts that are wanted and, as `job.json`, the job itself.

    The file has the same bytes whenever it is downloaded. So its addresses have no signature, which would end within an hour anyway.

    Args:
        services: gives the artifacts.
        job: the job, with addresses that are not signed.
        choice: the artifacts that are wanted.
        headers: further headers of the answer.

    Raises:
        Expired: an artifact no longer exists.
    """
    wanted = [artifact for artifact in job.artifacts if choice.takes(artifact)]
    contents = await services.contents.read_all(job, [artifact.name for artifact in wanted])
    own = {
        "X-Content-Type-Options": "nosniff",
        "Content-Disposition": f'attachment; filename="{file_name(job.method, job.id)}.zip"',
    }
    archive = await on_thread_if_large(sum(map(len, contents.values())), _archive, job, contents, large=_LARGE)
    return Response(archive, 200, {**headers, **own}, ZIP)


def _archive(job: JobRecord, contents: Mapping[str, bytes]) -> bytes:
    """Return the zip file of a job and of the stored bytes of its artifacts, by their names."""
    shown = job.model_copy(update={"artifacts": tuple(_shown(each, job, contents.get(each.name)) for each in job.artifacts)})
    files = [(entry_name(each), contents[each.name]) for each in job.artifacts if each.name in contents]
    return zipped([*files, (JOB_FILE, job_json(shown).encode())])


def _shown(artifact: Artifact, job: JobRecord, content: bytes | None) -> Artifact:
    """Return the description of an artifact. A picture that was drawn just now has a digest, although the job was read before."""
    if content is not None and artifact.sha256 is None:
        return artifact.model_copy(update={"sha256": digest_of(content), "size": len(content)})
    return as_in_archive(artifact, job, is_there=content is not None)


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
