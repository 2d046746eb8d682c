"""Check the JSON of a submission against the schemas of the contract, and report every wrong field at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from schemas.errors import FieldError, UnknownMethod
from schemas.jobs import Priority
from schemas.methods import METHODS, params_class
from schemas.methods.base import MethodParams
from schemas.methods.photo_fit import PhotoFitParams
from schemas.methods.several_images import ImagesParams
from schemas.models import NO_MODEL, AskedModelName, Fit
from schemas.webhooks import WebhookRequest
from service.echo import echo
from service.given_inputs import GivenValue, ReferredImage, image_reference, input_values
from service.validation_errors import check_extent, invalid_parameters, validated

_MethodName = Annotated[str, Field(max_length=256)]


class SubmissionEnvelope(BaseModel, frozen=True):
    """A submission's own fields. `image`, `inputs` and `params` are checked apart, because their schemas depend on other fields."""

    model_config = ConfigDict(extra="forbid")

    method: _MethodName
    model: AskedModelName
    image: JsonValue = None
    inputs: JsonValue = None
    params: JsonValue = Field(default_factory=dict[str, JsonValue])
    priority: Priority = "normal"
    webhook: WebhookRequest | None = None


class ModellessEnvelope(SubmissionEnvelope, frozen=True):
    """The same fields for a method that needs no model."""

    model: Literal["none"] = NO_MODEL


class PhotoEnvelope(SubmissionEnvelope, frozen=True):
    """The same fields for a method that shows photos to a model. `fit` is short for the parameter of this name."""

    fit: Fit | None = None


@dataclass(frozen=True)
class ValidSubmission:
    """A submission whose fields have the right types. Nothing has been looked up yet."""

    method: str
    model: str
    params: MethodParams
    priority: Priority
    image: ReferredImage | None
    inputs: Mapping[str, GivenValue] = field(default_factory=dict[str, GivenValue])
    webhook: WebhookRequest | None = None


def validate_submission(body: JsonValue, uploaded: Sequence[str]) -> ValidSubmission:
    """Return the submission that `body` holds. The ids `uploaded` follow the images that its parameters name, if it takes any.

    Raises:
        InvalidParameters: fields are wrong; it reports all of them.
        UnknownMethod: there is no such method; it reports the other wrong fields, too.
        LimitExceeded: the body holds more than 20,000 values.
    """
    check_extent(body, "")
    fields = body if isinstance(body, dict) else {}
    name = fields.get("method")
    method = name if isinstance(name, str) and name in METHODS else None
    errors: list[FieldError] = []
    envelope = validated(_envelope_class(method), body, "", errors)
    image = image_reference(fields.get("image"), "/image", errors)
    inputs = input_values(fields.get("inputs"), errors)
    given = fields.get("params", {})
    if method is not None and issubclass(METHODS[method], ImagesParams):
        given = _with_images(given, uploaded)
    if isinstance(envelope, PhotoEnvelope):
        given = _with_fit(given, envelope.fit, errors)
    params = None if method is None else validated(METHODS[method], given, "/params", errors)
    if method is None and isinstance(name, str) and all(error.pointer != "/method" for error in errors):
        raise _unknown_method(name, errors)
    if envelope is None or params is None or errors:
        raise invalid_parameters(errors)
    return ValidSubmission(envelope.method, envelope.model, params, envelope.priority, image, inputs, envelope.webhook)


def _envelope_class(method: str | None) -> type[SubmissionEnvelope]:
    """Return the class of a submission's own fields. With an unknown method, which is another error, every field is known."""
    if method is None or issubclass(METHODS[method], PhotoFitParams):
        return PhotoEnvelope
    return SubmissionEnvelope if METHODS[method].card.needs_model else ModellessEnvelope


def _with_fit(params: JsonValue, fit: Fit | None, errors: list[FieldError]) -> JsonValue:
    """Return the parameters with the submission's own `fit`. If they have another one, append that to `errors`."""
    if fit is None or not isinstance(params, dict):
        return params
    if (other := params.get("fit")) not in (None, fit):
        detail = f"fit is given twice: {fit} beside params, and {echo(other)} in them. Give it once."
        errors.append(FieldError(pointer="/fit", detail=detail, allowed="once", got="twice"))
        return params
    return {**params, "fit": fit}


def _unknown_method(name: str, errors: Sequence[FieldError]) -> UnknownMethod:
    try:
        params_class(name)
    except UnknownMethod as error:
        error.errors = (*error.field_errors, *errors)
        return error
    raise AssertionError(f"{name} is a method")


def _with_images(params: JsonValue, uploaded: Sequence[str]) -> JsonValue:
    if not uploaded or not isinstance(params, dict):
        return params
    named = params.get("images", [])
    return {**params, "images": [*named, *uploaded]} if isinstance(named, list) else params
