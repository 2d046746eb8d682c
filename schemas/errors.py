"""The errors that a caller can act on. Every room raises them; `schemas/problem.py` gives them their form on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field


class FieldError(BaseModel):
    """One wrong field of a request."""

    model_config = ConfigDict(frozen=True)

    pointer: str = Field(
        description="This JSON pointer (RFC 6901) leads to the wrong field. An empty pointer means the whole request.",
        examples=["/params/layer"],
    )
    detail: str = Field(
        description="This sentence says what is wrong with the field.",
        examples=["Model 'vgg16' has no layer 'block5_conv9'. Nearest: block5_conv3."],
    )
    allowed: str | None = Field(
        default=None,
        description="The field accepts these values, described in words. It is absent if they cannot be listed.",
        examples=["a number ≤ 1"],
    )
    got: str | None = Field(default=None, description="This is the value that was received, cut to a bounded length.", examples=["1.5"])
    nearest: tuple[str, ...] | None = Field(default=None, description="These existing names look like the one received, the best first.")


class VisualizationError(Exception):
    """Base class of every error that reaches a caller.

    Args:
        detail: full sentences that say what was got and what is allowed.
        pointer: JSON pointer (RFC 6901) to the first wrong field; None if no field of the request is at fault.
        allowed, got: the values that this field accepts, in words, and the value that was received.
        nearest: existing names that look like the one received, the best first.
        retry_after: seconds after which the caller should try again; None lets the service choose.
        errors: every wrong field. If it is empty and `pointer` is given, the arguments above are the only entry.

    The class attribute `code` is stable and machine-readable. `retryable` is true if the same call may succeed later, unchanged.
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
        errors: Iterable[FieldError] = (),
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.pointer = pointer
        self.allowed = allowed
        self.got = got
        self.nearest = tuple(nearest)
        self.retry_after = retry_after
        self.errors = tuple(errors)

    @property
    def field_errors(self) -> tuple[FieldError, ...]:
        """Every wrong field; empty if no field of the request is at fault."""
        if self.errors or self.pointer is None:
            return self.errors
        return (FieldError(pointer=self.pointer, detail=self.detail, allowed=self.allowed, got=self.got, nearest=self.nearest or None),)


# A caller sent something wrong.


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


class ForwardOnlyModel(VisualizationError):
    code, title = "forward_only_model", "The model can only be run"


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


# The service cannot do it at the moment.


class QueueFull(VisualizationError):
    code, title, retryable = "queue_full", "The queue is full", True


class NotFinished(VisualizationError):
    """The job of a one-line request goes on, and the same request joins it."""

    code, title, retryable = "not_finished", "The job has not finished in time", True


class BrokerUnavailable(VisualizationError):
    code, title, retryable = "broker_unavailable", "The broker does not answer", True


class StorageFull(VisualizationError):
    code, title, retryable = "storage_full", "Storage is full", True


class ModelLoading(VisualizationError):
    code, title, retryable = "model_loading", "The model is still being loaded", True


class ModelChanged(VisualizationError):
    """The worker does not have the version of the model that the service has checked the request against."""

    code, title, retryable = "model_changed", "The model has just changed", True


class ShuttingDown(VisualizationError):
    code, title, retryable = "shutting_down", "The service is shutting down", True


class NoWorkers(VisualizationError):
    code, title, retryable = "no_workers", "No worker is alive", True


class ModelLoadFailed(VisualizationError):
    """The model can never be loaded as it is. If the cause may pass by itself, the error is a `ModelLoadInterrupted`."""

    code, title = "model_load_failed", "The model could not be loaded"


class ModelLoadInterrupted(ModelLoadFailed):
    """The model could not be loaded this time, for example because its weights could not be downloaded."""

    retryable = True


class ModelTooLarge(VisualizationError):
    code, title = "model_too_large", "The model's activations are too large"


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
