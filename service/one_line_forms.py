"""The one-line forms as OpenAPI shows them: a class per method, with the image and each parameter as a form field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, WithJsonSchema, create_model

from schemas.jobs import Priority
from schemas.methods import METHODS
from schemas.methods.base import MethodParams
from schemas.methods.several_images import ImagesParams
from schemas.models import NO_MODEL, AskedModelName

FormFile = Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})]
_SEVERAL_IMAGES = (
    "Each part of this name holds one image file. The id of an image that was uploaded with `POST /v1/images` may replace any file. "
    "Each image may be given once."
)


class OneLineForm(BaseModel, frozen=True):
    """The fields that every one-line form has beside its method's own."""

    model_config = ConfigDict(extra="forbid")

    model: AskedModelName
    priority: Priority = "normal"


class FormWithInputs(OneLineForm, frozen=True):
    """The same fields for a method that shows images to a model, which may have further inputs."""

    inputs: dict[str, JsonValue] | None = Field(
        default=None,
        description='The values of the model\'s other inputs by name, as JSON: `{"metadata": [3.2, 1.0]}`. An image file or an .npy file '
        "for the input NAME can be the part `inputs.NAME`.",
    )


class ModellessForm(OneLineForm, frozen=True):
    """The same fields for a method that needs no model."""

    model: Literal["none"] = NO_MODEL


def form_base(params: type[MethodParams]) -> type[OneLineForm]:
    """Return the class of the fields that the form has beside the method's parameters."""
    if not params.card.needs_model:
        return ModellessForm
    return FormWithInputs if params.card.needs_image or issubclass(params, ImagesParams) else OneLineForm


def _form_class(name: str, params: type[MethodParams]) -> type[OneLineForm]:
    fields: dict[str, Any] = {field: (info.annotation, info) for field, info in params.model_fields.items()}
    if params.card.needs_image:
        fields = {"image": (FormFile, Field(description="This part holds the image file.")), **fields}
    if issubclass(params, ImagesParams):
        fields = {"images": (), **fields} | {"images": (tuple[FormFile, ...], Field(min_length=1, description=_SEVERAL_IMAGES))}
    title = "".join(part.capitalize() for part in name.split("_"))
    return create_model(f"{title}Form", __base__=form_base(params), __doc__=params.card.summary, **fields)


ONE_LINE_FORMS: Mapping[str, type[OneLineForm]] = {name: _form_class(name, params) for name, params in METHODS.items()}
