"""The parameters of `rank_methods`, which runs several attribution methods and ranks them by measures of their maps."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, field_validator

from schemas.errors import InvalidParameters, VisualizationError
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.evaluation.map_measures import MapMeasures
from schemas.methods.evaluation.measures import MEASURES_COST, MEASURES_REFERENCE, MeasureName, MeasuresParams
from schemas.methods.evaluation.rank_methods_facts import RankMethodsFacts
from schemas.methods.perturbation.base import Score, check_masks
from schemas.methods.photo_regions import PhotoRegionsParams
from schemas.methods.precision import PrecisionParams
from schemas.methods.targets import AnyTarget, ClassSelector, target_image
from schemas.models import PublishedModel

_OWN = ("measures", "perturbations", "disturbances", "radius", "other_classes", "seed", "score", "class_index", "target", "output")
_OWN_OF_PHOTOS = (*_OWN, "precision", "fit")
"""The judging of one map takes its parameters of these names from the job."""


class CandidateMethod(BaseModel):
    """An attribution method that takes part in a ranking."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str = Field(min_length=1, max_length=64, description="This is the attribution method.")
    options: dict[str, JsonValue] | None = Field(default=None, description="These are its parameters, as in `map_measures`.")
    name: str | None = Field(
        default=None, min_length=1, max_length=64, description="This is its name in the ranking. If it is null, it is the method's name."
    )


def _named(value: object) -> object:
    return {"method": value} if isinstance(value, str) else value


AnyCandidate = Annotated[CandidateMethod, BeforeValidator(_named, json_schema_input_type=CandidateMethod | str)]
"""A candidate as a request gives it: the name of a method is enough."""


class RankMethods(MeasuresParams, PrecisionParams, PhotoRegionsParams):
    """A ranking of attribution methods for the same photos and the same target."""

    card: ClassVar[MethodCard] = MethodCard(
        name="rank_methods",
        title="Ranking of methods",
        summary=(
            "This answers which map to trust for a photo or a set of photos: it runs several attribution methods with the same target, "
            "measures each map, and ranks the methods, with what they cost."
        ),
        reference=f"{MEASURES_REFERENCE}; mean ranks and the Friedman test as in Demšar, JMLR 7, 2006",
        formula=(
            "for each photo and measure, the methods get the ranks 1 (best) to k, and equal values share their mean rank; the mean over "
            "the measures is a photo's rank, and the mean over the photos ranks the methods, ± t·s/√n for n photos"
        ),
        cost=f"For each photo and each method, one run of the method, and the measures: {MEASURES_COST}",
        how_to_read=(
            "The best method stands first. ± is the 95 % confidence interval over the photos; methods with the mark ≈ are not "
            "significantly worse than the first. Coloured cells are the best values of a measure. The costs are those of the maps alone, "
            "so you can choose a cheaper method of nearly the same rank."
        ),
        when_it_misleads=(
            "The ranking is as good as its measures: others may give another order, and those that need no ground truth favour coarse or "
            "smooth maps each in its own way. With one photo there is no measure of chance. Ranks do not say how large differences are: "
            "look at the values. The paired tests are corrected neither for the number of methods nor "
            "for choosing the best one from the same photos."
        ),
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec("table", "image", "This has a row for each method: its mean rank, its measures, and its cost.", primary=True),
            ArtifactSpec("ranking", "document", "These are the facts as JSON.", media_type="application/json"),
            ArtifactSpec(
                "ranks",
                "array",
                "This is (photos, methods, measures) float32: the rank of each method, in the order in which photos, methods and measures "
                "were asked for.",
            ),
        ),
        facts=RankMethodsFacts,
        example={
            "images": [f"img_{digit * 64}" for digit in "abc"],
            "methods": ["grad_cam", "hires_cam", "saliency"],
            "measures": ["road", "deletion", "insertion"],
        },
        forward_only=True,
    )

    methods: tuple[AnyCandidate, ...] = Field(
        default=tuple(
            CandidateMethod(method=each) for each in ("grad_cam", "hires_cam", "layer_cam", "eigen_cam", "saliency", "integrated_gradients")
        ),
        min_length=2,
        max_length=16,
        description=(
            "These methods are ranked: names, or objects with `method`, `options` and `name`. Every method with the artifacts `overlay` "
            "and `map` is allowed. A method may stand here twice with different names."
        ),
        examples=[["grad_cam", {"method": "lrp", "options": {"composite": "epsilon_plus_flat"}, "name": "LRP"}]],
    )
    measures: tuple[MeasureName, ...] = Field(
        default=("road", "deletion", "insertion", "infidelity"),
        min_length=1,
        description=(
            "The methods are ranked by these measures, which all count the same. pointing_game, relevance_mass and relevance_rank need "
            "`regions`, and random_logit needs a class as target."
        ),
    )
    target: AnyTarget | None = Field(
        default=None,
        description=(
            "This is what all maps explain, in place of `class_index`, as in other methods. A target that names an image of its own (a "
            "mask or an image to compare with) is not allowed."
        ),
    )
    class_index: ClassSelector | None = Field(
        default=None, description="All maps explain this class: an index or a label. If it is null, it is the top class of each photo."
    )
    output: str | None = Field(
        default=None, min_length=1, max_length=256, description="This output is explained. If it is null, it is the model's first output."
    )
    score: Score = Field(default="probability", description="This score of the class is watched: its probability or its logit.")

    @field_validator("methods")
    @classmethod
    def _unlike_names(cls, methods: tuple[CandidateMethod, ...]) -> tuple[CandidateMethod, ...]:
        names = [each.name or each.method for each in methods]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two methods have the name {twice}, so give one of them another `name`")
        return methods

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> RankMethods:
        self.check_count(limits)
        self.check_region_count()
        if (named := target_image(self.target)) is not None:
            raise InvalidParameters(
                "All photos of a ranking have the same target, so it cannot name an image of its own.",
                pointer="/params/target",
                allowed="a target without an image",
                got=named,
            )
        self.check_regions(given=self.regions is not None, pointer="/params/regions")
        resolved: list[CandidateMethod] = []
        passes, judging = 0, None
        classes = model.description.head_at(self.output).class_count
        for number, each in enumerate(self.methods):
            try:
                judging = self.judging(number, 0).resolve(model, limits)
            except VisualizationError as error:
                error.pointer = _within_methods(error.pointer, number)
                raise
            attribution = judging.resolved_attribution(model, limits)
            passes += len(self.images) * judging.passes(attribution, model.description, None if classes is None else classes - 1)
            resolved.append(CandidateMethod(method=each.method, options=judging.options, name=each.name or each.method))
        check_masks(passes, limits, "/params/methods", f" This counts {len(self.methods)} methods and {len(self.images)} images.")
        if judging is None:
            raise ValueError("there are no methods")
        return self.changed(methods=tuple(resolved), target=judging.target, class_index=judging.class_index)

    def judging(self, method: int, image: int) -> MapMeasures:
        """Return the parameters that judge the map of a method for a photo, both by their place in the request.

        Raises:
            InvalidParameters: they contradict each other.
        """
        candidate = self.methods[method]
        own = {name: value for name, value in dict(self).items() if name in _OWN_OF_PHOTOS}
        region = None if self.regions is None else self.regions[image]
        return MapMeasures.model_validate({**own, "attribution": candidate.method, "options": candidate.options, "region": region})


def _within_methods(pointer: str | None, number: int) -> str | None:
    """Return where the caller of this job gave what the checks of one method point to."""
    name = (pointer or "").removeprefix("/params/")
    if name == "attribution":
        return f"/params/methods/{number}/method"
    if name.split("/")[0] == "options":
        return f"/params/methods/{number}/{name}"
    return pointer
