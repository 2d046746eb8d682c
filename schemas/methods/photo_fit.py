"""The parameter that says how a photo is brought to the size of the model's input."""

from __future__ import annotations

from pydantic import Field

from schemas.methods.base import MethodParams
from schemas.models import Fit


class PhotoFitParams(MethodParams):
    """Parameters of a method that shows photos to a model."""

    fit: Fit | None = Field(
        default=None,
        description=(
            "This is how a photo is brought to the size of the model's input. `stretch` ignores the aspect ratio, `crop` cuts out the "
            "centre, and `letterbox` shows the whole photo between bars of the mean colour. If it is null, the model's own preprocessing "
            "decides. A model of any size gets the photo at its own size: only if a side must have another length, `crop` cuts off what is "
            "too much, and `stretch` and `letterbox` both add bars. An array is taken as it is, so it takes no `fit`."
        ),
    )
