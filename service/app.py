"""Build the FastAPI application. Nothing is built at import: the entry point makes the settings and the store and hands them down."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, Depends, FastAPI
from starlette.middleware.cors import CORSMiddleware

from jobstore.store import JobStore
from service.allowed_hosts import AllowedHostsMiddleware
from service.artifact_contents import ArtifactContents
from service.batches.feeder import BatchFeeder
from service.body_limits import BodyLimits
from service.dependencies import Services
from service.drain import ANSWERING_SECONDS, ClosingMiddleware, Drain
from service.error_handlers import add_error_handlers
from service.gate import gate
from service.head_requests import HeadMiddleware
from service.image_contents import ImageContents
from service.job_remarks import WARNING
from service.key_ring import KeyRing
from service.metrics import Metrics
from service.model_lookup import ModelLookup
from service.model_uploads.uploaded_models import UploadedModels
from service.open_requests import OpenRequests
from service.openapi.document import openapi_of
from service.outbound.client import OutboundClient
from service.rate_limits import RateLimits
from service.request_context import REQUEST_ID, RequestContextMiddleware
from service.revocation import RevocationMiddleware
from service.routes import (
    artifacts,
    batch_results,
    batches,
    events,
    explorer,
    health,
    images,
    job_archives,
    jobs,
    keys,
    methods,
    model_uploads,
    models,
    one_line,
    problems,
    sets,
    webhooks,
)
from service.routes.documents import documents_router
from service.security_headers import SecurityHeadersMiddleware
from service.settings import ServiceSettings
from service.signed_addresses import AddressSigner
from service.traced_requests import request_spans
from service.unread_body import UnreadBodyMiddleware
from service.version import service_version
from service.webhooks.deliverer import WebhookDeliverer
from telemetry.traces import NO_TRACES, Traces

_DESCRIPTION = "Shows what convolutional networks see: predictions, activations, synthesised filters, class activation maps."


def create_app(settings: ServiceSettings, store: JobStore, outbound: OutboundClient | None = None, traces: Traces = NO_TRACES) -> FastAPI:
    """Return the application on `store`, which the caller opens and closes.

    `outbound` opens the addresses that callers name. Without it, that is a client which reaches public addresses only. `traces` makes the
    spans of requests and submissions; the caller closes it.

    Raises:
        CatalogError: models.toml as a whole cannot be read.
    """
    drain, metrics = Drain(settings.drain_delay + max(0.0, settings.drain - ANSWERING_SECONDS)), Metrics()
    contents, image_contents = ArtifactContents(store, settings, metrics), ImageContents(store, settings)
    signer, limits = AddressSigner(store.signing_secrets), RateLimits(store.quotas, settings)
    lookup, key_ring = ModelLookup(settings, store, drain), KeyRing(store.api_keys)
    outbound, open_requests = outbound or OutboundClient(), OpenRequests()
    uploaded = UploadedModels(settings, store, lookup, drain)
    services = Services(
        settings,
        store,
        lookup,
        uploaded,
        metrics,
        drain,
        contents,
        image_contents,
        open_requests,
        key_ring,
        signer,
        limits,
        outbound,
        traces=traces,
    )
    app = FastAPI(
        title="convscope",
        version=service_version(),
        description=_DESCRIPTION,
        lifespan=_lifespan(services),
        redirect_slashes=False,
        openapi_url=None,
        telemetry=request_spans(traces),
    )
    app.state.services = services
    routers = _routers(app)
    for router in routers:
        app.include_router(router, dependencies=[Depends(gate)], max_body_size=settings.max_body_bytes)
    # These count their own bytes while they read them, because nothing of a batch or a model stays in memory.
    for router in (batches.router, model_uploads.router):
        app.include_router(router, dependencies=[Depends(gate)])
        routers.append(router)
    add_error_handlers(app, routers, settings.max_body_bytes)
    _add_middleware(app, services)
    app.openapi = openapi_of(app, key_required=settings.auth == "required")
    for route in app.routes:  # FastAPI prepares the routes of a router when it first looks for one, which takes about 0.1 s
        route.matches({"type": "http", "method": "GET", "path": "/", "root_path": ""})
    return app


def _routers(app: FastAPI) -> list[APIRouter]:
    """Return the routers whose bodies are held in memory, so that one limit of bytes applies to all of them."""
    owned = [jobs.router, job_archives.router, one_line.router, images.router, sets.router, artifacts.router]
    owned += [batch_results.router, events.router]
    shared = [methods.router, models.router, keys.router, webhooks.router, health.router, problems.router]
    return [*owned, *shared, explorer.router, documents_router(app)]


def _add_middleware(app: FastAPI, services: Services) -> None:
    """Wrap the application. Requests meet what is added last first."""
    settings, body_limits = services.settings, BodyLimits(services.settings)
    if settings.allowed_hosts:
        app.add_middleware(AllowedHostsMiddleware, hosts=settings.allowed_hosts)
    app.add_middleware(RevocationMiddleware, key_ring=services.key_ring)
    app.add_middleware(
        RequestContextMiddleware,
        metrics=services.metrics,
        open_requests=services.open_requests,
        body_limit=body_limits.of,
        body_seconds=settings.body_timeout,
    )
    app.add_middleware(ClosingMiddleware, drain=services.drain)
    app.add_middleware(HeadMiddleware)
    app.add_middleware(UnreadBodyMiddleware, max_bytes=body_limits.dropped, seconds=settings.linger_seconds)
    _allow_other_origins(app, settings)
    app.add_middleware(SecurityHeadersMiddleware, other_origins=bool(settings.cors_origins))


def _allow_other_origins(app: FastAPI, settings: ServiceSettings) -> None:
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["*"],
            expose_headers=["ETag", "Location", "Preference-Applied", "RateLimit", "RateLimit-Policy", "Retry-After", REQUEST_ID, WARNING],
        )


def _lifespan(services: Services) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        await services.uploaded_models.prepare()
        feeder = BatchFeeder(services)
        feeder.start()
        deliverer = WebhookDeliverer(services)
        if services.settings.webhooks:
            deliverer.start()
        yield
        services.drain.begin()
        await feeder.close()
        await deliverer.close()
        services.contents.close()
        services.image_contents.close()

    return lifespan
