"""What went wrong with a job, as the job shows it: a stable code and words for its caller; never a traceback."""

from __future__ import annotations

from typing import cast, get_args

from schemas.errors import VisualizationError
from schemas.jobs import ErrorCode, JobError

_CODES = frozenset(get_args(ErrorCode))
# Errors that the service refuses at the door and that a worker may still meet (a model file changed, an image expired).
_NEAREST_CODE: dict[str, ErrorCode] = {
    "image_too_large": "invalid_image",
    "image_required": "invalid_image",
    "unsupported_format": "invalid_image",
    "expired": "invalid_image",
    "not_found": "invalid_image",
    "unknown_channel": "unknown_layer",
    "unsuitable_layer": "unknown_layer",
    "unknown_model": "model_load_failed",
}


def job_error(error: BaseException) -> JobError:
    """The code of a domain error, its nearest one where it is none of a job's; `internal` for everything else."""
    if not isinstance(error, VisualizationError):
        return JobError(code="internal", detail="Something went wrong inside the worker; its log says more.", retryable=False)
    code = cast("ErrorCode", error.code) if error.code in _CODES else _NEAREST_CODE.get(error.code, "internal")
    return JobError(code=code, detail=error.detail, retryable=error.retryable)


def is_internal(error: BaseException) -> bool:
    """Whether it is the worker's own fault, which belongs in the log with its traceback."""
    return not isinstance(error, VisualizationError)
