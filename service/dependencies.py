"""The arguments that routes receive from FastAPI: the shared services, the caller, and the job that the address names."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, FastAPI, Path, Request

from jobstore.records import JobRecord
from jobstore.store import JobStore
from schemas.errors import NotFound
from service.artifact_contents import ArtifactContents
from service.auth import OwnerDep, identity_of
from service.drain import Drain
from service.echo import echo
from service.image_contents import ImageContents
from service.key_ring import KeyRing
from service.metrics import Metrics
from service.model_lookup import ModelLookup
from service.model_uploads.uploaded_models import UploadedModels
from service.open_requests import OpenRequests, note_job
from service.outbound.client import OutboundClient
from service.rate_limits import RateLimits
from service.refused_callers import RefusedCallers
from service.request_context import request_id_of
from service.settings import ServiceSettings
from service.signed_addresses import AddressSigner, Sign
from telemetry.traces import NO_TRACES, Traces


@dataclass(frozen=True)
class Services:
    """Everything that routes share. `create_app` builds it once, and the application carries it.

    `batch_made` is set when this process has made a batch, so that its feeder need not wait for its next look.
    """

    settings: ServiceSettings
    store: JobStore
    models: ModelLookup
    uploaded_models: UploadedModels
    metrics: Metrics
    drain: Drain
    contents: ArtifactContents
    image_contents: ImageContents
    open_requests: OpenRequests
    key_ring: KeyRing
    signer: AddressSigner
    rate_limits: RateLimits
    outbound: OutboundClient
    refused_callers: RefusedCallers = field(default_factory=RefusedCallers)
    traces: Traces = NO_TRACES
    batch_made: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True)
class Caller:
    """Who calls, and the id of this request.

    Attributes:
        limited_as: the name under which the caller's jobs are counted; None if no limit of a caller applies.
        sign: adds a signature to the paths that the answer shows; None if the caller needs none.
    """

    owner: str
    request_id: str
    limited_as: str | None = None
    sign: Sign | None = None


def services_of(app: FastAPI) -> Services:
    """Return what `create_app` put into the application."""
    return cast("Services", app.state.services)


async def _services(request: Request) -> Services:
    return services_of(cast("FastAPI", request.app))


ServicesDep = Annotated[Services, Depends(_services)]


async def _caller(request: Request, owner: OwnerDep) -> Caller:
    identity = identity_of(request.scope)
    assert identity is not None  # noqa: S101 - otherwise there is no owner
    return Caller(owner, request_id_of(request.scope), identity.limited_as, identity.sign)


CallerDep = Annotated[Caller, Depends(_caller)]


async def _job(
    job_id: Annotated[str, Path(description="This is the id that `POST /v1/jobs` answered.", examples=["01K5YQZ7T8Y1W4V9N3M2XQJ6RD"])],
    request: Request,
    services: ServicesDep,
    owner: OwnerDep,
) -> JobRecord:
    job = await services.store.jobs.read(job_id, owner)
    if job is None:
        raise NotFound(f"There is no job '{echo(job_id)}'. It was never made, or it was deleted, or it has expired.", got=echo(job_id))
    note_job(request.scope, job)
    return job


JobDep = Annotated[JobRecord, Depends(_job)]
