"""The options of an attribution method that a job runs once for each of its photos."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue, ValidationError

from schemas.errors import InvalidParameters, VisualizationError
from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.evaluation.judged_map import attribution_class, attribution_methods
from schemas.methods.forward_only import check_forward_only
from schemas.methods.perturbation.base import CountsTries, check_masks
from schemas.models import PublishedModel

AttributionOptions = dict[str, JsonValue]

TAKEN = ("class_index", "target", "sign", "output", "precision", "input", "bands", "fit", "annotate", "frames")
"""The job itself decides these parameters of the attribution method."""
ATTRIBUTION = "Every method with the artifacts `overlay` and `map` is allowed."


def check_not_taken(options: AttributionOptions) -> None:
    """Raise `ValueError` if the options hold a parameter that the job itself decides."""
    if taken := next((name for name in TAKEN if name in options), None):
        raise ValueError(f"the job itself decides {taken}, so leave it out of the options")


def photo_attribution(name: str, options: AttributionOptions, own: Mapping[str, object], pointer: str) -> MethodParams:
    """Return the parameters of the attribution method `name`.

    Args:
        name: the name of the attribution method.
        options: what the caller says about it.
        own: what the job decides. Those that the method does not have are left out.
        pointer: the place of the options in the request.

    Raises:
        InvalidParameters: there is no such method, or it does not accept the options.
    """
    method = attribution_class(name)
    try:
        return method.model_validate({**options, **{key: value for key, value in own.items() if key in method.model_fields}})
    except ValidationError as error:
        first = error.errors()[0]
        where = "/".join(str(part) for part in first["loc"])
        raise InvalidParameters(f"The options of {name} are not valid: {where}: {first['msg']}.", pointer=f"{pointer}/{where}") from None


def completed_options(
    attribution: MethodParams, model: PublishedModel, limits: MethodLimits, pointer: str, photos: int
) -> AttributionOptions:
    """Return the options of an attribution with every default filled in, checked for a model and for a number of photos.

    Raises:
        LimitExceeded: the attributions of all photos would ask the model more often than one job may.
        VisualizationError: whatever else `resolve` raises. The error points into the options.
    """
    check_forward_only(attribution, model.description, pointer="/params/attribution", among=attribution_methods())
    try:
        resolved = attribution.resolve(model, limits)
    except VisualizationError as error:
        if error.pointer is not None:
            error.pointer = pointer + error.pointer.removeprefix("/params")
        raise
    if isinstance(resolved, CountsTries):
        check_masks(photos * resolved.tries(model.description), limits, pointer, f" This counts {photos} photos.")
    return resolved.model_dump(mode="json", exclude=set(TAKEN))
