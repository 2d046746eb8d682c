"""The exceptions of the client. There is one class for each family of the service's error codes, and one for each failure on the way."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar


class ConvscopeError(Exception):
    """Base class of everything that the client raises on purpose."""

    code: str = ""
    """The service's stable error code, or an empty text if the error is not an answer of the service."""


class NetworkError(ConvscopeError):
    """The service cannot be reached, or the connection broke, and repeating the call did not help or is not safe."""


class WaitTimeoutError(ConvscopeError, TimeoutError):
    """The caller's time limit was reached before the job or the batch had ended. The work goes on in the service."""


class JobEndedError(ConvscopeError):
    """The job was canceled or has expired, so that it has no result. `state` says which."""

    def __init__(self, message: str, state: str) -> None:
        super().__init__(message)
        self.state = state


class ProblemError(ConvscopeError):
    """The service answered with a problem (RFC 9457), or a job failed with one.

    A code that this version of the client does not know raises this class itself.

    Attributes:
        code: the stable code, such as `unknown_layer`.
        detail: sentences that say what was got and what is allowed.
        status: the HTTP status; None for the error of a failed job.
        errors: every wrong field of the request, each with `pointer`, `detail` and, where known, `allowed`, `got` and `nearest`.
        retryable: true if the same call may succeed later, unchanged.
        request_id: the id that the service's log has for the request, or None.
        retry_after: seconds after which the service wants to be asked again, or None.
    """

    codes: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, problem: Mapping[str, Any], *, retry_after: float | None = None) -> None:
        self.code: str = str(problem.get("code", "unknown"))
        self.detail: str = str(problem.get("detail", ""))
        self.status: int | None = problem.get("status")
        self.errors: list[dict[str, Any]] = list(problem.get("errors") or [])
        self.retryable: bool = bool(problem.get("retryable", False))
        self.request_id: str | None = problem.get("request_id")
        self.retry_after = retry_after
        super().__init__(f"{self.code}: {self.detail}")


class InvalidRequestError(ProblemError):
    """Something in the request is wrong. The same request will never succeed."""

    codes = frozenset({
        "malformed_body", "invalid_parameters", "image_unexpected", "image_required", "limit_exceeded", "idempotency_key_reused",
        "method_not_allowed", "not_acceptable", "body_too_large", "malformed_request",
    })  # fmt: skip


class ImageError(InvalidRequestError):
    """An image cannot be read or fetched, or it is too large."""

    codes = frozenset({"unsupported_format", "invalid_image", "image_too_large", "url_refused", "url_unavailable"})


class UnknownNameError(InvalidRequestError):
    """No method, model, layer, class or channel has this name. `errors` holds the nearest names."""

    codes = frozenset({"unknown_method", "unknown_model", "unknown_layer", "unknown_class", "unknown_channel"})


class ModelError(ProblemError):
    """The model does not suit the request, it cannot be loaded, or it cannot be uploaded, replaced or deleted."""

    codes = frozenset({
        "unsuitable_layer", "forward_only_model", "no_gradient", "model_load_failed", "model_too_large", "model_uploads_off",
        "model_not_uploaded", "model_quota",
    })  # fmt: skip


class NotFoundError(ProblemError):
    """Nothing is there, or its results are gone."""

    codes = frozenset({"not_found", "expired"})


class StateConflictError(ProblemError):
    """The state of the job or batch forbids it: for example, a job that has ended cannot be canceled."""

    codes = frozenset({"state_conflict"})


class AccessError(ProblemError):
    """The service needs a key, the key does not allow the call, or the service has another name than the address says."""

    codes = frozenset({"unauthenticated", "scope_missing", "host_not_allowed"})


class CallerLimitError(ProblemError):
    """The caller has too many jobs under way or sends too many requests, and waiting as long as the client may did not help."""

    codes = frozenset({"caller_limit", "rate_limited"})


class UnavailableError(ProblemError):
    """The service cannot do it at the moment, and repeating the call as often as the client may did not help."""

    codes = frozenset({
        "queue_full", "not_finished", "broker_unavailable", "storage_full", "model_loading", "model_changed", "shutting_down",
        "no_workers", "request_timeout",
    })  # fmt: skip


class WorkFailedError(ProblemError):
    """The work was started and failed."""

    codes = frozenset({"non_finite", "out_of_memory", "timeout", "worker_crashed", "internal"})


FAMILIES: tuple[type[ProblemError], ...] = (
    InvalidRequestError, ImageError, UnknownNameError, ModelError, NotFoundError, StateConflictError, AccessError, CallerLimitError,
    UnavailableError, WorkFailedError,
)  # fmt: skip
_BY_CODE = {code: family for family in FAMILIES for code in family.codes}


def problem_error(problem: Mapping[str, Any], *, retry_after: float | None = None) -> ProblemError:
    """Return the exception for a problem, of the class to which its code belongs."""
    return _BY_CODE.get(str(problem.get("code")), ProblemError)(problem, retry_after=retry_after)


def problem_of_answer(status: int, content: bytes, retry_after: float | None, request: str) -> ProblemError:
    """Return the exception for an answer with an error status. An answer that is no problem document, as a proxy sends it, is quoted."""
    try:
        problem = json.loads(content)
        if isinstance(problem, dict) and "code" in problem:
            return problem_error(problem, retry_after=retry_after)  # pyright: ignore[reportUnknownArgumentType]
    except ValueError:
        pass
    detail = f"{request} answered {status}: {content[:300].decode('utf-8', 'replace')}"
    # A proxy says with these statuses that the service is not there at the moment.
    return ProblemError(
        {"code": "unknown", "detail": detail, "status": status, "retryable": status in (502, 503, 504)}, retry_after=retry_after
    )
