"""Everything that can go wrong in words a caller can act on, and its form on the wire (RFC 9457)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field


class VisualizationError(Exception):
    """Base of every error that reaches a caller.

    `code` is stable and machine-readable; `detail` says what was got and what is allowed; `pointer` is the JSON
    pointer of the offending field. `retryable` tells that the same call may succeed later, unchanged.
    """

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        detail: str,
        *,
        pointer: str | None = None,
        allowed: str | None = None,
        got: str | None = None,
        nearest: Iterable[str] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer
        self.allowed = allowed
        self.got = got
        self.nearest = tuple(nearest)
        self.retry_after = retry_after


# What a caller sent.


class MalformedBody(VisualizationError):
    code, title = "malformed_body", "Malformed body"


class BodyTooLarge(VisualizationError):
    code, title = "body_too_large", "Too many bytes"


class UnsupportedFormat(VisualizationError):
    code, title = "unsupported_format", "Format not accepted"


class InvalidParameters(VisualizationError):
    code, title = "invalid_parameters", "Invalid parameters"


class InvalidImage(VisualizationError):
    code, title = "invalid_image", "Image cannot be read"


class ImageTooLarge(VisualizationError):
    code, title = "image_too_large", "Image dimensions out of bounds"


class ImageRequired(VisualizationError):
    code, title = "image_required", "An image is required"


class ImageUnexpected(VisualizationError):
    code, title = "image_unexpected", "This method takes no image"


class UnknownMethod(VisualizationError):
    code, title = "unknown_method", "No such method"


class UnknownModel(VisualizationError):
    code, title = "unknown_model", "No such model"


class UnknownLayer(VisualizationError):
    code, title = "unknown_layer", "No such layer"


class UnsuitableLayer(VisualizationError):
    code, title = "unsuitable_layer", "Layer does not suit the method"


class UnknownClass(VisualizationError):
    code, title = "unknown_class", "No such class"


class UnknownChannel(VisualizationError):
    code, title = "unknown_channel", "No such channel"


class LimitExceeded(VisualizationError):
    code, title = "limit_exceeded", "A limit is exceeded"


class IdempotencyKeyReused(VisualizationError):
    code, title = "idempotency_key_reused", "Idempotency key reused with another body"


class NotFound(VisualizationError):
    code, title = "not_found", "Not found"


class MethodNotAllowed(VisualizationError):
    code, title = "method_not_allowed", "HTTP method not allowed here"


class NotAcceptable(VisualizationError):
    code, title = "not_acceptable", "No such representation"


class StateConflict(VisualizationError):
    code, title = "state_conflict", "The job's state forbids it"


class Expired(VisualizationError):
    code, title = "expired", "Expired"


class CallerLimit(VisualizationError):
    code, title, retryable = "caller_limit", "The caller's own limit is reached", True


# What the service could not do at the moment.


class QueueFull(VisualizationError):
    code, title, retryable = "queue_full", "The queue is full", True


class BrokerUnavailable(VisualizationError):
    code, title, retryable = "broker_unavailable", "The broker does not answer", True


class StorageFull(VisualizationError):
    code, title, retryable = "storage_full", "Storage is full", True


class NoWorkers(VisualizationError):
    code, title, retryable = "no_workers", "No worker is alive", True


# How a job ended.


class ModelLoadFailed(VisualizationError):
    code, title, retryable = "model_load_failed", "The model could not be loaded", True


class NoGradient(VisualizationError):
    code, title = "no_gradient", "No gradient reaches the layer"


class NonFinite(VisualizationError):
    code, title = "non_finite", "Values are not finite"


class OutOfMemory(VisualizationError):
    code, title = "out_of_memory", "The device is out of memory"


class JobTimeout(VisualizationError):
    code, title = "timeout", "Time limit reached"


class WorkerCrashed(VisualizationError):
    code, title = "worker_crashed", "The worker died each time it tried"


class InternalError(VisualizationError):
    code, title = "internal", "Internal error"


def nearest_names(name: str, names: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """The `count` names most like `name` (difflib ratio ≥ 0.5, case ignored), best first."""
    by_key = {each.casefold(): each for each in names}
    return tuple(by_key[key] for key in difflib.get_close_matches(name[:256].casefold(), by_key, n=count, cutoff=0.5))


class Problem(BaseModel):
    """An error on the wire: `application/problem+json` (RFC 9457)."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="URI reference that identifies the kind of problem.", examples=["/problems/unknown_layer"])
    title: str = Field(examples=["No such layer"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["Model 'vgg16' has no layer 'block5_conv9'. Nearest: block5_conv3."])
    code: str = Field(description="Stable machine-readable code.", examples=["unknown_layer"])
    request_id: str = Field(description="Also in the X-Request-ID header and in the logs.")
    pointer: str | None = Field(default=None, description="JSON pointer (RFC 6901) of the offending field.", examples=["/params/layer"])
    allowed: str | None = Field(default=None, description="What would have been accepted.")
    got: str | None = Field(default=None, description="What was received.")
    nearest: tuple[str, ...] | None = Field(default=None, description="Names that exist and look like the one given.")
