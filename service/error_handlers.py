"""Answer every error with a problem (RFC 9457), whether a route, the validation or the framework raised it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from schemas.errors import MethodNotAllowed, NotFound, UnknownMethod, VisualizationError
from schemas.methods import METHODS, params_class
from schemas.methods.several_images import ImagesParams
from service.echo import echo
from service.event_stream import NoMoreEvents
from service.head_requests import asked_method
from service.job_wait import CallerDisconnected
from service.problems import framework_error, problem_response
from service.request_context import CLIENT_CLOSED, body_too_large, request_id_of
from service.validation_errors import invalid_request


def add_error_handlers(app: FastAPI, routers: Sequence[APIRouter], max_body_bytes: int) -> None:
    """Register the handlers on `app`. `routers` tell which HTTP methods an address takes."""
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]

    async def answer_own_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, VisualizationError)  # noqa: S101 - it is registered for these alone
        return problem_response(error, request_id_of(request.scope))

    async def answer_invalid_parameters(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - it is registered for these alone
        return problem_response(invalid_request(error.errors()), request_id_of(request.scope))

    async def answer_framework_error(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - it is registered for these alone
        path, headers = request.url.path, dict(error.headers or {})
        match error.status_code:
            case 404:
                problem = _unknown_address(request.method, path)
            case 405:
                verbs = {verb for route in routes if route.path_regex.match(path) for verb in route.methods or ()}
                allowed, got = ", ".join(sorted(verbs | ({"HEAD"} if "GET" in verbs else set()))), asked_method(request.scope)
                problem = MethodNotAllowed(f"{path} takes {allowed}; got {got}.{_call_of(path)}", allowed=allowed, got=got)
                headers["Allow"] = allowed
            case 413:
                problem = body_too_large(max_body_bytes)
            case _:
                problem = framework_error(error)
        return problem_response(problem, request_id_of(request.scope), headers)

    async def end_without_answer(_: Request, __: Exception) -> Response:
        return Response(status_code=CLIENT_CLOSED)  # nobody reads it; the metrics and the log count it

    async def end_event_source(_: Request, __: Exception) -> Response:
        return Response(status_code=204)

    app.add_exception_handler(VisualizationError, answer_own_error)
    app.add_exception_handler(NoMoreEvents, end_event_source)
    app.add_exception_handler(CallerDisconnected, end_without_answer)
    app.add_exception_handler(RequestValidationError, answer_invalid_parameters)
    app.add_exception_handler(HTTPException, answer_framework_error)


def _call_of(path: str) -> str:
    """Return a sentence that shows the call at the address of a visualization method; empty for every other address."""
    params = METHODS.get(path.removeprefix("/v1/").removesuffix(".json"))
    if params is None:
        return ""
    several = issubclass(params, ImagesParams)
    image = ("-F image=@photo.jpg " if params.card.needs_image else "") + ("-F images=@a.jpg -F images=@b.jpg " if several else "")
    model = "-F model=efficientnet_lite0 " if params.card.needs_model else ""
    suffix = "json" if path.endswith(".json") else "png"
    return f" For example: curl {image}{model}-o result.{suffix} localhost:8000{path}. /v1/methods/{params.card.name} lists the fields."


def _unknown_address(verb: str, path: str) -> VisualizationError:
    """Return the error for an address at which there is nothing. For a misspelt visualization method it has the nearest names."""
    if verb == "POST" and (found := re.fullmatch(r"/v1/([^/]+)", path)):
        try:
            params_class(found[1])
        except UnknownMethod as error:
            error.pointer, error.got = None, echo(found[1])
            return error
    return NotFound(f"There is nothing at {verb} {echo(path)}. See /docs for every address.")
