"""Define the JSON body that submits a job. There is one model for each method, and the field `method` tells which one applies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, create_model
from typing_extensions import TypeAliasType

from schemas.images import ImageReference, InputValue, InputValues
from schemas.jobs import Priority
from schemas.method_types import class_title, literal, union
from schemas.methods import METHODS
from schemas.methods.base import MethodParams
from schemas.methods.photo_fit import PhotoFitParams
from schemas.models import NO_MODEL, Fit, ModelName
from schemas.webhooks import WebhookRequest

_FIT = "How a photo is brought to the size of the model's input. It is short for the parameter `fit`, which explains the values."


class JobRequestBase(BaseModel):
    """The fields that every submission has. The class of each method narrows `method` and `params`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    model: ModelName
    image: ImageReference | None = Field(
        default=None, description="The image. Leave it out if the method needs none or if the request has the image as a file part."
    )
    inputs: InputValues = Field(
        default_factory=dict[str, InputValue],
        description="The values of the model's inputs by name. `image` is short for the value of the input that takes the photo. Inputs "
        "without a value are filled with zeros.",
        examples=[{"metadata": [3.2, 1.0], "left": {"image": {"id": "img_" + "0" * 64}}}],
    )
    params: MethodParams
    webhook: WebhookRequest | None = Field(
        default=None, description="Where the end of the job is told, if the operator has turned webhooks on."
    )
    priority: Priority = Field(default="normal", description="Jobs of higher priority are taken first within a lane.")


def _request_class(name: str, params: type[MethodParams]) -> type[JobRequestBase]:
    try:
        default: Any = params()
    except ValueError:
        default = ...
    card, fields = params.card, dict[str, Any]()
    if issubclass(params, PhotoFitParams):
        fields["fit"] = (Fit | None, Field(default=None, description=_FIT))
    return create_model(
        f"{class_title(name)}Request",
        __base__=JobRequestBase,
        __doc__=card.summary,
        method=(literal(name), ...),
        model=(ModelName, ...) if card.needs_model else (literal(NO_MODEL), NO_MODEL),
        params=(params, Field(default, description=f"The parameters of {card.title}.")),
        **fields,
    )


JOB_REQUEST_CLASSES = {name: _request_class(name, params) for name, params in METHODS.items()}

if TYPE_CHECKING:
    JobRequest = JobRequestBase
else:
    # The alias has a name, so that a JSON schema refers to it instead of repeating it.
    JobRequest = TypeAliasType("JobRequest", Annotated[union(JOB_REQUEST_CLASSES), Field(discriminator="method")])

job_request_adapter: TypeAdapter[JobRequestBase] = TypeAdapter(JobRequest)


def example_request(method: str) -> dict[str, JsonValue]:
    """Return an example submission, as OpenAPI and `GET /v1/methods` show it."""
    card = METHODS[method].card
    image: dict[str, JsonValue] = {"image": {"id": "img_" + "0" * 64}} if card.needs_image else {}
    model: dict[str, JsonValue] = {"model": "efficientnet_lite0"} if card.needs_model else {}
    return {"method": method, **model, **image, "params": card.example}
