"""The one image that a job can name beside its photo: that of its target, or that of a parameter."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from schemas.images import ADDRESS_ALLOWED, NamedImage
from schemas.methods.base import MethodParams
from schemas.methods.photo_fit import PhotoFitParams
from schemas.methods.target_class import TargetClassParams
from schemas.methods.targets import target_image


class OtherImageParams(PhotoFitParams):
    """Parameters of a method that can look at a second photo, which is brought to the model's input like the first."""

    other_image: NamedImage | None = Field(
        default=None, description=f"This is the id of another photo that was uploaded with `POST /v1/images`. {ADDRESS_ALLOWED}"
    )


@dataclass(frozen=True)
class OtherImage:
    """The id of the other image, what errors call it, and the parameter that names it."""

    image_id: str
    label: str
    name: str


def other_image_of(params: MethodParams) -> OtherImage | None:
    """Return the image that resolved parameters name beside the photo, or None."""
    if isinstance(params, OtherImageParams) and params.other_image is not None:
        return OtherImage(params.other_image, "The other image", "other_image")
    if isinstance(params, TargetClassParams) and (image_id := target_image(params.target)) is not None:
        return OtherImage(image_id, "The target's image", "target")
    return None
