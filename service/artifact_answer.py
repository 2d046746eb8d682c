"""The response that holds one artifact, for the routes that send one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import anyio.to_thread
from fastapi import Response

from jobstore.records import JobRecord
from schemas.artifacts import ArtifactDescription, Representation
from service.converters import represent
from service.dependencies import Services
from service.representations import file_name


def artifact_headers(artifact: ArtifactDescription) -> dict[str, str]:
    """Return the headers that go with every response for this artifact, also with one that has no content."""
    return {"Vary": "Accept", "X-Content-Type-Options": "nosniff", **artifact.media.headers}


async def artifact_answer(
    services: Services,
    job: JobRecord,
    artifact: ArtifactDescription,
    representation: Representation,
    headers: Mapping[str, str],
    *,
    convert: Callable[[bytes], bytes] | None = None,
) -> Response:
    """Return the artifact in the given representation, with `headers` and its own headers.

    `convert` makes the representation from the stored bytes. Without it, the converter of the artifact's kind does.

    Raises:
        Expired: The content has been deleted.
        NotAcceptable: The image is too large for this representation.
    """
    content = await services.contents.read(job, artifact.name)
    if convert is not None:
        content = await anyio.to_thread.run_sync(convert, content)
    elif not representation.native:
        content = await anyio.to_thread.run_sync(represent, content, artifact, representation)
    disposition = f'inline; filename="{file_name(job.method, artifact.name)}.{representation.name}"'
    every = {**headers, **artifact_headers(artifact), "Content-Disposition": disposition}
    return Response(content, 200, every, representation.media_type)
