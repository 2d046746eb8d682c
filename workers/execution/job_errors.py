"""Turn an exception into the error that the job shows to its caller: a stable code and a sentence, never a traceback."""

from __future__ import annotations

from typing import cast, get_args

from schemas.errors import VisualizationError
from schemas.jobs import ErrorCode, JobError

_CODES = frozenset(get_args(ErrorCode))
# The service refuses most of these errors before a job is accepted. A worker can still meet them: a model file may have been replaced or
# an image may have expired in the meantime, and some values, such as a mask that covers nothing, are only seen when the job runs.
_NEAREST_CODE: dict[str, ErrorCode] = {
    "image_too_large": "invalid_image",
    "image_required": "invalid_image",
    "unsupported_format": "invalid_image",
    "expired": "invalid_image",
    "not_found": "invalid_image",
    "unknown_channel": "unknown_layer",
    "unsuitable_layer": "unknown_layer",
    "unknown_model": "model_load_failed",
    "unknown_class": "invalid_parameters",
    "limit_exceeded": "invalid_parameters",
    "forward_only_model": "invalid_parameters",
}


def job_error(error: BaseException) -> JobError:
    """Return the error that the job shows.

    A domain error keeps its code, or gets the nearest one if jobs do not have its code. Every other exception becomes `internal`.
    """
    if not isinstance(error, VisualizationError):
        detail = "An internal error occurred in the worker. The log of the worker has the details."
        return JobError(code="internal", detail=detail, retryable=False)
    code = cast("ErrorCode", error.code) if error.code in _CODES else _NEAREST_CODE.get(error.code, "internal")
    return JobError(code=code, detail=error.detail, retryable=error.retryable)


def is_internal(error: BaseException) -> bool:
    """Return True if the error is the worker's own fault. Such an error belongs in the log with its traceback."""
    return not isinstance(error, VisualizationError)
