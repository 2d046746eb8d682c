"""`faithfulness`: does an attribution show what the model goes by?"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, JsonValue, ValidationError

from schemas.errors import InvalidParameters, VisualizationError, nearest_names
from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.methods.perturbation.base import Baseline, PerturbationParams, Score, Trying, check_masks
from schemas.models import LayerKind, PublishedModel

# What the job itself says of the attribution: its own parameters of these names.
SHARED = ("class_index", "sign", "output", "precision")


class Randomised(Facts):
    """The attribution of a model some of whose weights were drawn anew."""

    layers: int = Field(description="How many layers were drawn anew.")
    layer: str = Field(description="The lowest of them.")
    rank_correlation: float | None = Field(
        description="Spearman's, of its map with the map of the model as it is; null: one of them is the same everywhere."
    )


class FaithfulnessFacts(Facts):
    """How the class's score follows the map. A good map has a small deletion area, a large insertion area, a small drop, and
    correlations that go to 0."""

    attribution: str
    class_index: int
    label: str | None
    logit: float
    probability: float
    score: Score
    deletion_area: float = Field(description="Under the score's curve as the map's strongest pixels are covered first (trapezoid rule).")
    insertion_area: float = Field(description="Under its curve as they are shown first.")
    masked_score: float = Field(description="Of the photo darkened to what the map shows: each pixel times the map, 0-1.")
    drop: float | None = Field(description="max(0, score − masked_score) / score; null where the score is not above 0.")
    increased: bool = Field(description="masked_score is above the score.")
    cascading: tuple[Randomised, ...] = Field(
        description="Layers drawn anew from the output downwards, the last time down to the first with a kernel."
    )
    independent: tuple[Randomised, ...] = Field(description="One layer drawn anew at a time.")


class Faithfulness(PerturbationParams):
    """Deletion and insertion curves, drop in confidence, and randomised weights, for the map of any attribution method."""

    card: ClassVar[MethodCard] = MethodCard(
        name="faithfulness",
        title="Faithfulness of an attribution",
        summary=(
            "Puts a map to the test: how fast the class's score falls as the map's strongest pixels are covered, how fast it rises as "
            "they are shown, what is left of it in the part that the map shows, and whether the map changes with the model's weights."
        ),
        reference=(
            "Petsiuk et al., RISE, arXiv:1806.07421 (deletion, insertion); Chattopadhyay et al., Grad-CAM++, arXiv:1710.11063 (drop); "
            "Adebayo et al., Sanity Checks for Saliency Maps, arXiv:1810.03292 (randomised weights)"
        ),
        needs_image=True,
        lane="slow",
        artifacts=(
            ArtifactSpec("chart", "image", "Both curves with their areas; below, the rank correlations.", primary=True),
            ArtifactSpec("overlay", "image", "The map that was put to the test, on the photo, as its own method draws it."),
            ArtifactSpec("map", "array", "That map, unscaled (h, w) float32."),
            ArtifactSpec("curves", "array", "(3, steps + 1) float32: share of pixels, score at deletion, score at insertion."),
        ),
        facts=FaithfulnessFacts,
        example={"attribution": "grad_cam", "class_index": None, "steps": 20, "randomisations": 1},
    )

    attribution: str = Field(
        default="grad_cam",
        min_length=1,
        max_length=64,
        description="The method whose map is tested: any that makes an `overlay` and a `map`. Of one class.",
    )
    options: dict[str, JsonValue] | None = Field(
        default=None,
        description=(
            "That method's own parameters, as /v1/methods describes them; those left out, or null: its defaults. "
            f"{', '.join(SHARED)} are this job's."
        ),
        examples=[{"layer": None}],
    )
    score: Score = Field(default="probability", description="What is watched: the class's probability, as in the papers, or its logit.")
    steps: int = Field(default=50, ge=1, le=1000, description="Of each curve: pixels are covered or shown in so many equal parts.")
    deletion: Baseline = Field(default="mean", description="What covers the photo's pixels as they are deleted.")
    insertion: Baseline = Field(default="blurred", description="What is there before the photo's pixels are inserted.")
    randomisations: int = Field(
        default=0,
        ge=0,
        le=32,
        description=(
            "Points at which weights are drawn anew, spread over the layers with a kernel: everything from the output down to each of "
            "them, and each alone. A point costs two more maps, and the time to compile them."
        ),
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="Of the weights drawn anew, and of the order of pixels of equal value.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Faithfulness:
        if isinstance(self.class_index, tuple):
            raise InvalidParameters(
                "One map is put to the test: give one class, not a list.", pointer="/params/class_index", allowed="one class", got="a list"
            )
        resolved = super().resolve(model, limits)
        attribution = resolved.attribution_params()
        try:
            attribution = attribution.resolve(model, limits)
        except VisualizationError as error:
            error.pointer = _within_options(error.pointer)
            raise
        passes = 2 * (self.steps + 1) + 1
        check_masks(passes, limits, "/params/steps", "")
        if isinstance(attribution, Trying):
            maps = 1 + 2 * len(resolved.randomised_layers(model))
            passes += maps * attribution.tries(model.description)
            check_masks(passes, limits, "/params/randomisations" if maps > 1 else "/params/options", f" For {maps} maps.")
        return resolved.changed(options=attribution.model_dump(mode="json", exclude=set(SHARED)))

    def attribution_params(self, class_index: int | None = None) -> MethodParams:
        """The attribution's parameters; of the class asked for unless told.

        Raises:
            InvalidParameters: no such attribution, or not such parameters.
        """
        method = _attribution(self.attribution)
        options = self.options or {}
        if taken := next((name for name in SHARED if name in options), None):
            raise InvalidParameters(
                f"{taken} is this job's own: give it beside options.", pointer=f"/params/options/{taken}", allowed="left out", got=taken
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
                f"options of {self.attribution}: {where}: {first['msg']}.", pointer=f"/params/options/{where}"
            ) from None

    def randomised_layers(self, model: PublishedModel) -> tuple[tuple[str, ...], ...]:
        """For each point the paths of the layers from it to the output, in the model's order; the first is the point itself, a
        layer with a kernel. Of a normalisation alone little would change."""
        weighted = [layer for layer in model.description.layers if layer.parameters and layer.kind is not LayerKind.MODEL]
        kernels = [index for index, layer in enumerate(weighted) if layer.kind is not LayerKind.NORMALIZATION]
        points = min(self.randomisations, len(kernels))
        starts = [kernels[len(kernels) - round(len(kernels) * (point + 1) / points)] for point in range(points)]
        return tuple(tuple(layer.path for layer in weighted[start:]) for start in starts)


def _within_options(pointer: str | None) -> str | None:
    """What an attribution's own checks point to, where this job's caller gave it."""
    name = (pointer or "").removeprefix("/params/")
    return pointer if name == (pointer or "") or name.split("/")[0] in SHARED else f"/params/options/{name}"


def attributions() -> dict[str, type[MethodParams]]:
    """Methods that make a map and lay it over the photo."""
    from schemas.methods import METHODS  # noqa: PLC0415 - METHODS is made of these modules

    def has(method: type[MethodParams], name: str, kind: Literal["image", "array"]) -> bool:
        return any(spec.name == name and spec.kind == kind for spec in method.card.artifacts)

    return {
        name: method
        for name, method in METHODS.items()
        if name != Faithfulness.card.name and has(method, "overlay", "image") and has(method, "map", "array")
    }


def _attribution(name: str) -> type[MethodParams]:
    known = attributions()
    if name not in known:
        raise InvalidParameters(
            f"There is no attribution method '{name}'. There are: {', '.join(known)}.",
            pointer="/params/attribution",
            allowed=", ".join(known),
            got=name,
            nearest=nearest_names(name, known),
        )
    return known[name]
