"""The form of an error on the wire (RFC 9457), for the service that writes it and for clients that read it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from schemas.access_errors import HostNotAllowed, MalformedRequest, RateLimited, RequestTimeout, ScopeMissing, Unauthenticated
from schemas.errors import FieldError, VisualizationError
from schemas.model_upload_errors import ModelNotUploaded, ModelQuota, ModelUploadsOff
from schemas.url_errors import UrlRefused, UrlUnavailable

_ACCESS = (Unauthenticated, ScopeMissing, RateLimited, RequestTimeout, MalformedRequest)
_FURTHER = (*_ACCESS, UrlRefused, UrlUnavailable, HostNotAllowed, ModelUploadsOff, ModelNotUploaded, ModelQuota)
_CODES = list(dict.fromkeys(error.code for error in (*VisualizationError.__subclasses__(), *_FURTHER)))
_CODE_SCHEMA: dict[str, JsonValue] = {"enum": [*_CODES]}


class Problem(BaseModel):
    """An error on the wire: `application/problem+json` (RFC 9457)."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="This URI reference identifies the kind of problem.", examples=["/problems/unknown_layer"])
    title: str = Field(description="This names the kind of problem in a few words.", examples=["No such layer"])
    status: int = Field(description="This is the HTTP status of the answer.", examples=[422])
    detail: str = Field(
        description="These sentences say what was got and what is allowed.",
        examples=["Model 'vgg16' has no layer 'block5_conv9'. Nearest: block5_conv3."],
    )
    code: str = Field(
        description="This code identifies the kind of problem for programs and never changes its meaning. A later version may add codes.",
        examples=["unknown_layer"],
        json_schema_extra=_CODE_SCHEMA,
    )
    retryable: bool = Field(description="If it is true, the same call may succeed later, unchanged.", examples=[False])
    request_id: str = Field(description="The X-Request-ID header and the service's log carry the same id.")
    errors: tuple[FieldError, ...] = Field(
        default=(), description="These are all wrong fields of the request, at most 50. The list is empty if no field is at fault."
    )
    pointer: str | None = Field(
        default=None, description="This is the `pointer` of the first entry of `errors`.", examples=["/params/layer"]
    )
    allowed: str | None = Field(default=None, description="The first wrong field accepts these values, described in words.")
    got: str | None = Field(default=None, description="This is the value that was received, cut to a bounded length.")
    nearest: tuple[str, ...] | None = Field(default=None, description="These existing names look like the one received, the best first.")


class ProblemAnswer(BaseModel):
    """A status with which a kind of problem is answered."""

    model_config = ConfigDict(frozen=True)

    status: int = Field(description="The HTTP status of the answer.", examples=[422])
    retryable: bool = Field(description="If it is true, the same call may succeed later, unchanged.")


class ProblemKind(BaseModel):
    """A kind of problem: why it happens, and what to do about it. The `type` of a problem is its address."""

    model_config = ConfigDict(frozen=True)

    type: str = Field(description="The address of this page.", examples=["/problems/unknown_layer"])
    code: str = Field(description="The `code` of problems of this kind.", examples=["unknown_layer"], json_schema_extra=_CODE_SCHEMA)
    title: str = Field(description="The `title` of problems of this kind.", examples=["No such layer"])
    answers: tuple[ProblemAnswer, ...] = Field(description="The statuses that such a problem can have. Most kinds have one.")
    fails_jobs: bool = Field(description="If it is true, a failed job's `error` may have this code.")
    cause: str = Field(description="These sentences say why it happens. Texts between backquotes are code.")
    remedy: str = Field(description="These sentences say what the caller or the operator can do. Texts between backquotes are code.")
    example: Problem = Field(description="This is a whole problem of this kind.")
