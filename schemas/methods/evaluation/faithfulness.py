"""The parameters of `faithfulness`, which tests whether the map of an attribution method shows what the model goes by."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, JsonValue, ValidationError

from schemas.errors import InvalidParameters, VisualizationError
from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.evaluation.faithfulness_facts import FaithfulnessFacts
from schemas.methods.forward_only import check_forward_only
from schemas.methods.perturbation.base import Baseline, CountsTries, PerturbationParams, Score, check_masks
from schemas.models import LayerKind, PublishedModel
from schemas.nearest_names import nearest_names

# The attribution method takes its parameters of these names from the job itself.
SHARED = ("class_index", "target", "sign", "output", "precision", "input", "bands", "fit", "annotate")


class Faithfulness(PerturbationParams):
    """Deletion and insertion curves, drop in confidence, and correlations with randomised weights, for any attribution method."""

    card: ClassVar[MethodCard] = MethodCard(
        name="faithfulness",
        title="Faithfulness of an attribution",
        summary=(
            "This tests a map: how fast the class's score falls as the map's strongest pixels are covered, how fast it rises as they are "
            "shown, how much of it is left in the part that the map shows, and whether the map changes with the model's weights."
        ),
        reference=(
            "Petsiuk et al., RISE, arXiv:1806.07421 (deletion, insertion); Chattopadhyay et al., Grad-CAM++, arXiv:1710.11063 (drop); "
            "Adebayo et al., Sanity Checks for Saliency Maps, arXiv:1810.03292 (randomised weights)"
        ),
        formula=(
            "areas under the class's score while pixels are covered (deletion) or shown (insertion) in the order of the map, and in that "
            "of a random map; Spearman's rank correlation of maps after weights are randomised"
        ),
        cost="Four forward passes for each step of the curves, and one run of the attribution for each randomisation.",
        how_to_read=(
            "A good map has a small deletion area and a large insertion area, both beyond the dashed curves of a random map: the score "
            "falls soon when its strongest places are covered, and rises soon when they are shown. Correlations near 0 are good: the map "
            "depends on the weights that the model has learnt."
        ),
        when_it_misleads=(
            "A score that is low from the start makes the areas small, whatever the map. Covered images are images that the model never "
            "saw. A good result says that the map fits this image, and not that the method is right everywhere."
        ),
        needs_image=True,
        lane="slow",
        artifacts=(
            ArtifactSpec("chart", "image", "This shows both curves with their areas, and below them the rank correlations.", primary=True),
            ArtifactSpec("overlay", "image", "This is the tested map on the image, as its own method draws it."),
            ArtifactSpec("map", "array", "This is the tested map, unscaled (h, w) float32."),
            ArtifactSpec(
                "curves",
                "array",
                "This is (5, steps + 1) float32: the share of pixels, the score at deletion and at insertion, and both for a random map.",
            ),
        ),
        facts=FaithfulnessFacts,
        example={"attribution": "grad_cam", "class_index": None, "steps": 20, "randomisations": 1},
        forward_only=True,
    )

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
    score: Score = Field(
        default="probability", description="This score of the class is watched: its probability as in the papers, or its logit."
    )
    steps: int = Field(
        default=50, ge=1, le=1000, description="Each curve has this many steps: the pixels are covered or shown in as many equal parts."
    )
    deletion: Baseline = Field(
        default="mean",
        description="Deleted pixels are covered with this: the `mean` colour of the image, `black`, `white`, or the image `blurred`.",
    )
    insertion: Baseline = Field(
        default="blurred",
        description="The image's pixels are inserted into this: the `mean` colour, `black`, `white`, or the image `blurred`.",
    )
    randomisations: int = Field(
        default=0,
        ge=0,
        le=32,
        description=(
            "Weights are randomised at this many points, which are spread over the layers with a kernel. At each point, all layers from "
            "the output down to it are randomised, and then this layer alone. A point costs two more maps and the time to compile them."
        ),
    )
    seed: int = Field(
        default=0, ge=0, lt=2**31, description="This is the seed of the randomised weights, and of the order of pixels with equal values."
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Faithfulness:
        resolved = super().resolve(model, limits)
        if isinstance(resolved.class_index, tuple):
            pointer = "/params/class_index" if self.target is None else "/params/target/class"
            raise InvalidParameters(
                "One job tests one map, so give one class and not a list.", pointer=pointer, allowed="one class", got="a list"
            )
        attribution = resolved.attribution_params()
        check_forward_only(attribution, model.description, pointer="/params/attribution", among=attribution_methods())
        if model.description.forward_only and self.randomisations:
            raise InvalidParameters(
                f"Model '{model.description.name}' can be run, but its file gives no layers whose weights could be randomised, so "
                f"randomisations must be 0; got {self.randomisations}.",
                pointer="/params/randomisations",
                allowed="0",
                got=str(self.randomisations),
            )
        try:
            attribution = attribution.resolve(model, limits)
        except VisualizationError as error:
            error.pointer = _within_options(error.pointer)
            raise
        passes = 4 * (self.steps + 1) + 1
        check_masks(passes, limits, "/params/steps", "")
        if isinstance(attribution, CountsTries):
            maps = 1 + 2 * len(resolved.randomised_layers(model))
            passes += maps * attribution.tries(model.description)
            check_masks(passes, limits, "/params/randomisations" if maps > 1 else "/params/options", f" This counts {maps} maps.")
        return resolved.changed(options=attribution.model_dump(mode="json", exclude=set(SHARED)))

    def attribution_params(self, class_index: int | None = None) -> MethodParams:
        """Return the parameters of the attribution method.

        Args:
            class_index: the class to explain. If it is None, it is this job's own `class_index`.

        Raises:
            InvalidParameters: there is no such method, or it does not accept the options.
        """
        method = _attribution_class(self.attribution)
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

    def randomised_layers(self, model: PublishedModel) -> tuple[tuple[str, ...], ...]:
        """Return for each point the paths of the layers from this point to the output, in the model's order.

        The first of them is the point itself, a layer with a kernel. A normalisation is never a point, because its random weights alone
        would change little.
        """
        weighted = [layer for layer in model.description.layers if layer.parameters and layer.kind is not LayerKind.MODEL]
        kernels = [index for index, layer in enumerate(weighted) if layer.kind is not LayerKind.NORMALIZATION]
        points = min(self.randomisations, len(kernels))
        starts = [kernels[len(kernels) - round(len(kernels) * (point + 1) / points)] for point in range(points)]
        return tuple(tuple(layer.path for layer in weighted[start:]) for start in starts)


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
        if name != Faithfulness.card.name and has(method, "overlay", "image") and has(method, "map", "array")
    }


def _attribution_class(name: str) -> type[MethodParams]:
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
