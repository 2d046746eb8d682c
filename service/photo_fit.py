"""Complete and check the parameter that says how a photo is brought to the size of the model's input."""

from __future__ import annotations

from schemas.errors import InvalidParameters
from schemas.methods.base import MethodParams
from schemas.methods.photo_fit import PhotoFitParams
from schemas.models import ModelDescription
from service.job_inputs import explained_input


def with_fit(params: MethodParams, description: ModelDescription, *, is_array: bool) -> MethodParams:
    """Return resolved parameters with `fit` filled in from the model's settings.

    It stays null if the image is an array, and if the model's inputs of photos differ in their own `fit`; each then keeps its own.

    Args:
        params: the parameters, in which `input` is resolved.
        description: the model's description.
        is_array: whether the image is an array in place of a photo.

    Raises:
        InvalidParameters: `fit` is given, but the image is an array, or the input takes nothing else.
    """
    if not isinstance(params, PhotoFitParams):
        return params
    takes = description.input_at(explained_input(params, description), "/params/input")
    if is_array or not takes.takes_photos:
        if params.fit is None:
            return params
        why = "the image is an array, which is" if is_array else f"input '{takes.name}' takes arrays, which are"
        raise InvalidParameters(
            f"fit says how a photo is brought to the model's input, but {why} taken unchanged.",
            pointer="/params/fit",
            allowed="null",
            got=params.fit,
        )
    inputs = (takes, *description.inputs)
    own = {each.preprocessing.fit for each in inputs if each.preprocessing is not None and each.takes_photos}
    return params.changed(fit=own.pop()) if params.fit is None and len(own) == 1 else params
