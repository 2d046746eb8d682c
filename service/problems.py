"""Give each error its HTTP status, from one table, and its body (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, overload

from fastapi.responses import Response
from starlette.exceptions import HTTPException

from schemas import access_errors, errors, model_upload_errors, url_errors
from schemas.errors import FieldError, VisualizationError
from schemas.problem import Problem, ProblemAnswer

PROBLEM_MEDIA_TYPE = "application/problem+json"
_MAX_SENTENCES = 4000  # characters of a detail, or of the allowed values
_MAX_VALUE = 500  # characters of a caller's value
_MAX_ERRORS = 50
_RETRY_AFTER = 5  # seconds, if the error does not say

STATUS: Mapping[type[VisualizationError], int] = {
    errors.MalformedBody: 400,
    access_errors.MalformedRequest: 400,
    access_errors.Unauthenticated: 401,
    access_errors.ScopeMissing: 403,
    model_upload_errors.ModelUploadsOff: 403,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.NotAcceptable: 406,
    access_errors.RequestTimeout: 408,
    errors.StateConflict: 409,
    model_upload_errors.ModelNotUploaded: 409,
    model_upload_errors.ModelQuota: 409,
    errors.Expired: 410,
    errors.BodyTooLarge: 413,
    errors.UnsupportedFormat: 415,
    access_errors.HostNotAllowed: 421,
    errors.InvalidParameters: 422,
    errors.InvalidImage: 422,
    errors.ImageTooLarge: 422,
    errors.ImageRequired: 422,
    errors.ImageUnexpected: 422,
    errors.UnknownMethod: 422,
    errors.UnknownModel: 422,
    errors.UnknownLayer: 422,
    errors.UnsuitableLayer: 422,
    errors.ForwardOnlyModel: 422,
    errors.UnknownClass: 422,
    errors.UnknownChannel: 422,
    errors.LimitExceeded: 422,
    errors.IdempotencyKeyReused: 422,
    url_errors.UrlRefused: 422,
    errors.ModelLoadFailed: 422,
    errors.ModelTooLarge: 422,
    errors.NoGradient: 422,
    errors.NonFinite: 422,
    errors.CallerLimit: 429,
    access_errors.RateLimited: 429,
    errors.OutOfMemory: 500,
    errors.WorkerCrashed: 500,
    errors.InternalError: 500,
    url_errors.UrlUnavailable: 502,
    errors.QueueFull: 503,
    errors.BrokerUnavailable: 503,
    errors.StorageFull: 503,
    errors.NoWorkers: 503,
    errors.ModelLoading: 503,
    errors.ModelChanged: 503,
    errors.ShuttingDown: 503,
    errors.ModelLoadInterrupted: 503,
    errors.NotFinished: 504,
    errors.JobTimeout: 504,
}
_FOR_HTTP: Mapping[int, type[VisualizationError]] = {
    400: errors.MalformedBody,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.BodyTooLarge,
    415: errors.UnsupportedFormat,
}


def status_of(error: VisualizationError) -> int:
    """Return the error's HTTP status. A method or model that does not exist is 422 in a body and 404 in an address."""
    if isinstance(error, errors.UnknownMethod | errors.UnknownModel) and error.pointer is None:
        return 404
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def answers_of(code: str) -> tuple[ProblemAnswer, ...]:
    """Return every status with which errors of this code are answered, and whether the caller may try again then."""
    kinds = [kind for kind in STATUS if kind.code == code]
    answers = [ProblemAnswer(status=status_of(kind("", pointer="")), retryable=kind.retryable) for kind in kinds]
    answers += [ProblemAnswer(status=status_of(kind("")), retryable=kind.retryable) for kind in kinds]
    return tuple(dict.fromkeys(answers))


def problem_url(code: str) -> str:
    """Return the path of the page about a kind of problem, for example `/problems/unknown_layer`."""
    return f"/problems/{code}"


def framework_error(error: HTTPException) -> VisualizationError:
    """Return the error of ours that says what the framework refused."""
    return _FOR_HTTP.get(error.status_code, errors.InternalError)(str(error.detail))


def problem_of(error: VisualizationError, request_id: str) -> Problem:
    """Return the body of the answer for `error`. Long texts are cut."""
    return Problem(
        type=problem_url(error.code),
        title=error.title,
        status=status_of(error),
        detail=_cut(error.detail, _MAX_SENTENCES),
        code=error.code,
        retryable=error.retryable,
        request_id=request_id,
        errors=tuple(_bounded(each) for each in error.field_errors[:_MAX_ERRORS]),
        pointer=_cut(error.pointer),
        allowed=_cut(error.allowed, _MAX_SENTENCES),
        got=_cut(error.got),
        nearest=error.nearest or None,
    )


def problem_response(error: VisualizationError, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return the answer for `error`. A status of 429 or 503 gets `Retry-After`, and 401 or 403 `WWW-Authenticate`."""
    problem = problem_of(error, request_id)
    own = {"Retry-After": str(error.retry_after or _RETRY_AFTER)} if problem.status in (429, 503) else {}
    if isinstance(error, access_errors.Unauthenticated | access_errors.ScopeMissing):
        own["WWW-Authenticate"] = error.challenge
    body = problem.model_dump_json(exclude_none=True)
    return Response(body, problem.status, {**(headers or {}), **own}, PROBLEM_MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses for these statuses; each description names the codes that the status can carry."""
    content = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _description(status), "content": content} for status in statuses}


def _description(status: int) -> str:
    return "Problem: " + ", ".join(f"`{error.code}`" for error, each in STATUS.items() if each == status)


def _bounded(error: FieldError) -> FieldError:
    return FieldError(
        pointer=_cut(error.pointer),
        detail=_cut(error.detail, _MAX_SENTENCES),
        allowed=_cut(error.allowed, _MAX_SENTENCES),
        got=_cut(error.got),
        nearest=error.nearest,
    )


@overload
def _cut(text: str, most: int = _MAX_VALUE) -> str: ...
@overload
def _cut(text: None, most: int = _MAX_VALUE) -> None: ...
@overload
def _cut(text: str | None, most: int = _MAX_VALUE) -> str | None: ...
def _cut(text: str | None, most: int = _MAX_VALUE) -> str | None:
    return text if text is None or len(text) <= most else f"{text[:most]}…"
