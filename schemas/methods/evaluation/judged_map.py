"""The parameters of methods that judge the map of an attribution method: which method it is, and its own parameters."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, JsonValue, ValidationError

from schemas.errors import InvalidParameters, VisualizationError
from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.forward_only import check_forward_only
from schemas.methods.perturbation.base import PerturbationParams
from schemas.models import PublishedModel
from schemas.nearest_names import nearest_names

# The attribution method takes its parameters of these names from the job itself.
SHARED = ("class_index", "target", "sign", "output", "precision", "input", "bands", "fit", "annotate")


class JudgedMapParams(PerturbationParams):
    """Parameters of a method that runs one attribution method and judges its map."""

    attribution: str = Field(
        default="grad_cam",
        min_length=1,
        max_length=64,
        description="The map of this method is tested. Every method with the artifacts `overlay` and `map` is allowed.",
    )
    options: dict[str, JsonValue] | None = Field(
        default=None,
        description=(
            "These are the parameters of that method, as /v1/methods describes them. If a parameter is left out, or this is null, its "
            f"default is used. {', '.join(SHARED)} are not allowed here, because they are parameters of this job."
        ),
        examples=[{"layer": None}],
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = super().resolve(model, limits)
        if isinstance(resolved.class_index, tuple):
            pointer = "/params/class_index" if self.target is None else "/params/target/class"
            raise InvalidParameters(
                "One job tests one map, so give one class and not a list.", pointer=pointer, allowed="one class", got="a list"
            )
        return resolved

    def resolved_attribution(self, model: PublishedModel, limits: MethodLimits) -> MethodParams:
        """Return the parameters of the attribution method with every default filled in, checked for the model.

        Raises:
            ForwardOnlyModel: the model can only be run, and the method needs more.
            VisualizationError: whatever else `resolve` of the method raises. The error points into the options.
        """
        attribution = self.attribution_params()
        check_forward_only(attribution, model.description, pointer="/params/attribution", among=attribution_methods())
        try:
            return attribution.resolve(model, limits)
        except VisualizationError as error:
            error.pointer = _within_options(error.pointer)
            raise

    def completed_options(self, attribution: MethodParams) -> dict[str, JsonValue]:
        """Return the resolved parameters of the attribution method without those that it shares with this job."""
        return attribution.model_dump(mode="json", exclude=set(SHARED))

    def attribution_params(self, class_index: int | None = None) -> MethodParams:
        """Return the parameters of the attribution method.

        Args:
            class_index: the class to explain. If it is None, it is this job's own `class_index`.

        Raises:
            InvalidParameters: there is no such method, or it does not accept the options.
        """
        method = attribution_class(self.attribution)
        options = self.options or {}
        if taken := next((name for name in SHARED if name in options), None):
            raise InvalidParameters(
                f"{taken} is a parameter of this job, so give it beside options and not in them.",
                pointer=f"/params/options/{taken}",
                allowed="left out",
                got=taken,
            )
        if options.get("frames") is not None:
            raise InvalidParameters(
                "One job tests one map, so frames is not allowed in options.",
                pointer="/params/options/frames",
                allowed="null",
                got="frames",
            )
        shared = {name: value for name, value in dict(self).items() if name in SHARED and name in method.model_fields}
        if class_index is not None and "class_index" in shared:
            shared["class_index"] = class_index
        try:
            return method.model_validate({**options, **shared})
        except ValidationError as error:
            first = error.errors()[0]
            where = "/".join(str(part) for part in first["loc"])
            raise InvalidParameters(
                f"The options of {self.attribution} are not valid: {where}: {first['msg']}.", pointer=f"/params/options/{where}"
            ) from None


def _within_options(pointer: str | None) -> str | None:
    """Return where the caller of this job gave a parameter that the checks of the attribution method point to."""
    name = (pointer or "").removeprefix("/params/")
    return pointer if name == (pointer or "") or name.split("/")[0] in SHARED else f"/params/options/{name}"


def attribution_methods() -> dict[str, type[MethodParams]]:
    """Return the methods that make a map and draw it on the image, by name."""
    from schemas.methods import METHODS  # noqa: PLC0415 - the registry imports this module

    def has(method: type[MethodParams], name: str, kind: Literal["image", "array"]) -> bool:
        return any(spec.name == name and spec.kind == kind for spec in method.card.artifacts)

    return {
        name: method
        for name, method in METHODS.items()
        if not issubclass(method, JudgedMapParams) and has(method, "overlay", "image") and has(method, "map", "array")
    }


def attribution_class(name: str) -> type[MethodParams]:
    """Return the attribution method of this name.

    Raises:
        InvalidParameters: there is no such method.
    """
    known = attribution_methods()
    if name not in known:
        raise InvalidParameters(
            f"There is no attribution method '{name}'. There are: {', '.join(known)}.",
            pointer="/params/attribution",
            allowed=", ".join(known),
            got=name,
            nearest=nearest_names(name, known),
        )
    return known[name]
