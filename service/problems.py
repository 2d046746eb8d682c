"""Errors on the wire: each error's status in one table, and an RFC 9457 body for whatever goes wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from fastapi.responses import Response
from starlette.exceptions import HTTPException

from schemas import errors
from schemas.errors import Problem, VisualizationError

PROBLEM_MEDIA_TYPE = "application/problem+json"
_LONGEST = 4000  # characters
_RETRY_AFTER = 5  # seconds, where the error does not say

STATUS: Mapping[type[VisualizationError], int] = {
    errors.MalformedBody: 400,
    errors.NotFound: 404,
    errors.MethodNotAllowed: 405,
    errors.NotAcceptable: 406,
    errors.StateConflict: 409,
    errors.Expired: 410,
    errors.BodyTooLarge: 413,
    errors.UnsupportedFormat: 415,
    errors.InvalidParameters: 422,
    errors.InvalidImage: 422,
    errors.ImageTooLarge: 422,
    errors.ImageRequired: 422,
    errors.ImageUnexpected: 422,
    errors.UnknownMethod: 422,
    errors.UnknownModel: 422,
    errors.UnknownLayer: 422,
    errors.UnsuitableLayer: 422,
    errors.UnknownClass: 422,
    errors.UnknownChannel: 422,
    errors.LimitExceeded: 422,
    errors.IdempotencyKeyReused: 422,
    errors.NoGradient: 422,
    errors.NonFinite: 422,
    errors.CallerLimit: 429,
    errors.OutOfMemory: 500,
    errors.WorkerCrashed: 500,
    errors.InternalError: 500,
    errors.QueueFull: 503,
    errors.BrokerUnavailable: 503,
    errors.StorageFull: 503,
    errors.NoWorkers: 503,
    errors.ModelLoadFailed: 503,
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
    """422 for a method or model that a body names and that does not exist; 404 for one that the address names."""
    if isinstance(error, errors.UnknownMethod | errors.UnknownModel) and error.pointer is None:
        return 404
    return STATUS.get(type(error), 500)


def http_error(error: HTTPException) -> VisualizationError:
    """What the framework refuses, as one of our errors."""
    return _FOR_HTTP.get(error.status_code, errors.InternalError)(str(error.detail))


def problem_response(error: VisualizationError, request_id: str, headers: Mapping[str, str] | None = None) -> Response:
    status = status_of(error)
    problem = Problem(
        type=f"/problems/{error.code}",
        title=error.title,
        status=status,
        detail=_cut(error.detail) or "",
        code=error.code,
        request_id=request_id,
        pointer=_cut(error.pointer),
        allowed=_cut(error.allowed),
        got=_cut(error.got),
        nearest=error.nearest or None,
    )
    retry = {"Retry-After": str(error.retry_after or _RETRY_AFTER)} if status in (429, 503) else {}
    return Response(problem.model_dump_json(exclude_none=True), status, {**(headers or {}), **retry}, PROBLEM_MEDIA_TYPE)


def _cut(text: str | None) -> str | None:
    """What callers sent is said back, but not by the megabyte."""
    return text if text is None or len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """OpenAPI responses for these statuses, naming the codes that each can carry."""
    content = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _described(_codes(status)), "content": content} for status in statuses}


def _codes(status: int) -> Iterable[str]:
    return (error.code for error, each in STATUS.items() if each == status)


def _described(codes: Iterable[str]) -> str:
    return "Problem: " + ", ".join(f"`{code}`" for code in codes)
