"""The application: `create_app(settings, store)`. Nothing is built at import."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from jobstore.store import JobStore
from schemas.errors import NotFound, UnknownMethod, VisualizationError
from schemas.methods import params_class
from service.dependencies import Services
from service.drain import Drain
from service.echo import echo
from service.metrics import Metrics
from service.model_lookup import ModelLookup
from service.openapi import document, service_version
from service.problems import http_error, problem_response
from service.request_context import REQUEST_ID, RequestContextMiddleware, body_too_large, request_id_of
from service.routes import artifacts, health, images, jobs, methods, models
from service.routes.oneline import oneline_router
from service.settings import ServiceSettings
from service.validation_errors import invalid_request

_DESCRIPTION = "Shows what convolutional networks see: predictions, activations, synthesised filters, class activation maps."


def create_app(settings: ServiceSettings, store: JobStore) -> FastAPI:
    """The service on `store`, which the caller opens and closes.

    Raises:
        CatalogError: models.toml or a side file is wrong.
    """
    services = Services(settings, store, ModelLookup(settings, store), Metrics(), Drain())
    app = FastAPI(
        title="convscope", version=service_version(), description=_DESCRIPTION, lifespan=_lifespan(services), redirect_slashes=False
    )
    app.state.services = services
    routers = [jobs.router, oneline_router(), images.router, artifacts.router, methods.router, models.router, health.router]
    for router in routers:
        app.include_router(router, max_body_size=settings.max_body_bytes)
    _answer_errors(app, settings, routers)
    app.add_middleware(RequestContextMiddleware, metrics=services.metrics, max_body_bytes=settings.max_body_bytes)
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["ETag", "Location", "Preference-Applied", "Retry-After", REQUEST_ID],
        )
    app.openapi = document(app)
    return app


def _lifespan(services: Services) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        yield
        services.drain.begin()

    return lifespan


def _answer_errors(app: FastAPI, settings: ServiceSettings, routers: list[APIRouter]) -> None:
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]

    async def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, VisualizationError)  # noqa: S101 - registered for these alone
        return problem_response(error, request_id_of(request.scope))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101
        return problem_response(invalid_request(error.errors()), request_id_of(request.scope))

    async def frameworks(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        path, headers = request.url.path, dict(error.headers or {})
        match error.status_code:
            case 404:
                problem = _nowhere(request.method, path)
            case 405:
                allowed = sorted({method for route in routes if route.path_regex.match(path) for method in route.methods or ()})
                problem = http_error(HTTPException(405, f"{path} answers {', '.join(allowed)}; got {request.method}."))
                problem.allowed, headers["Allow"] = ", ".join(allowed), ", ".join(allowed)
            case 413:
                problem = body_too_large(settings.max_body_bytes)
            case _:
                problem = http_error(error)
        return problem_response(problem, request_id_of(request.scope), headers)

    app.add_exception_handler(VisualizationError, ours)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, frameworks)


def _nowhere(method: str, path: str) -> VisualizationError:
    """An address at which there is nothing; a misspelt method's has nearest names."""
    if method == "POST" and (found := re.fullmatch(r"/v1/([^/]+)", path)):
        try:
            params_class(found[1])
        except UnknownMethod as error:
            error.pointer, error.got = None, echo(found[1])
            return error
    return NotFound(f"There is nothing at {method} {echo(path)}. See /docs.")
