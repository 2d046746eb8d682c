"""The parameters of `compare_models`: the maps and the answers of several models for the same photos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from schemas.errors import InvalidParameters, LimitExceeded, VisualizationError
from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.further_models import FurtherModelsParams
from schemas.methods.photo_names import PhotoNamesParams
from schemas.methods.precision import PrecisionParams
from schemas.methods.sets.compare_models_facts import CompareModelsFacts
from schemas.methods.sets.photo_attribution import (
    ATTRIBUTION,
    TAKEN,
    AttributionOptions,
    check_not_taken,
    completed_options,
    photo_attribution,
)
from schemas.methods.target_class import class_output
from schemas.methods.targets import ClassSelector
from schemas.models import PublishedModel

ModelOptions = AttributionOptions | tuple[AttributionOptions, ...] | None
MOST_PHOTOS = 16


class CompareModels(FurtherModelsParams, PrecisionParams, PhotoNamesParams):
    """Maps of one attribution method for the same photos and several models, with the models' answers."""

    card: ClassVar[MethodCard] = MethodCard(
        name="compare_models",
        title="Compare models",
        summary=(
            "This shows where two or more models look in the same photos: the maps of one attribution method side by side, the rank "
            "correlation of the maps, and how often the models give the same answer."
        ),
        reference=(
            "Spearman's rank correlation of maps as in Adebayo et al., Sanity Checks for Saliency Maps, arXiv:1810.03292; the maps by the "
            "attribution method that is named"
        ),
        formula="Spearman's ρ of two models' maps over the part of the photo that both see; share of photos with the same top class",
        cost="One forward pass and one run of the attribution method, for each photo and each model.",
        how_to_read=(
            "Each row is a photo and each column a model. All maps explain the same class, so differences show that the models go by "
            "different parts of the photo. A rank correlation near 1 means that two maps order the places alike, near 0 that they have "
            "nothing in common."
        ),
        when_it_misleads=(
            "A coarse map and a fine one correlate less, even if both mark the same object: compare layers of like resolution. Maps of "
            "unlike methods of training differ without one model being wrong. If the labels of two models differ, each map explains the "
            "model's own class, and the warnings say so."
        ),
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec(
                "sheet",
                "image",
                "This has a row for each photo: the photo, and each model's map on it, with the class, its probability and its rank.",
                primary=True,
            ),
            ArtifactSpec(
                "map.{model}.{image}",
                "array",
                "This is the unscaled map (h, w) float32 of each model for each photo, by the photo's place in `images`.",
            ),
        ),
        facts=CompareModelsFacts,
        example={"images": [f"img_{digit * 64}" for digit in "abc"], "models": ["mobilenet_v2"], "attribution": "grad_cam"},
        forward_only=True,
    )

    attribution: str = Field(
        default="grad_cam",
        min_length=1,
        max_length=64,
        description=f"The maps of this method are compared. {ATTRIBUTION}",
    )
    options: ModelOptions = Field(
        default=None,
        description=(
            "These are the parameters of that method, as /v1/methods describes them: an object for all models, or a list with an object "
            "for each model, the model of the request first. A list is needed if the models have different layers. Parameters that are "
            f"left out have their defaults. {', '.join(TAKEN)} are not allowed here."
        ),
        examples=[[{"layer": None}, {"layer": None}]],
    )
    class_index: ClassSelector | None = Field(
        default=None,
        description=(
            "This is the class to explain: a class index or a label of the model of the request. If it is null, it is this model's top "
            "class for each photo. The other models explain the class of the same label."
        ),
    )
    explain: Literal["same", "own"] = Field(
        default="same",
        description=(
            "If it is `same`, all maps of a photo explain the same class. If it is `own`, each model's map explains its own top class."
        ),
    )
    annotate: bool = Field(
        default=True,
        description=(
            "If it is true, the sheet has a title, beside each map the scale of its colours, and below the photos a chart of the rank "
            "correlations."
        ),
    )

    @field_validator("options")
    @classmethod
    def _none_taken(cls, options: ModelOptions) -> ModelOptions:
        for each in options if isinstance(options, tuple) else (options or {},):
            check_not_taken(each)
        return options

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> CompareModels:
        self.check_models(model.description.name, limits)
        self.check_count(limits)
        if len(self.images) > MOST_PHOTOS:
            raise LimitExceeded(
                f"One job compares models on at most {MOST_PHOTOS} photos, got {len(self.images)}.",
                pointer="/params/images",
                allowed=f"at most {MOST_PHOTOS}",
                got=str(len(self.images)),
            )
        if self.explain == "own" and self.class_index is not None:
            raise InvalidParameters(
                "With explain 'own', each map explains the model's own top class, so class_index must be null.",
                pointer="/params/class_index",
                allowed="null",
                got=str(self.class_index),
            )
        class_output(model, None)
        count = 1 + len(self.models)
        if isinstance(self.options, tuple) and len(self.options) != count:
            raise InvalidParameters(
                f"options is a list of {len(self.options)} objects, but there are {count} models with the model of the request.",
                pointer="/params/options",
                allowed=f"a list of {count} objects",
                got=str(len(self.options)),
            )
        given = self.options if isinstance(self.options, tuple) else (self.options or {},) * count
        chosen = None if self.class_index is None else model.class_index_of(self.class_index)
        return self.changed(class_index=chosen, options=(self._completed(given[0], model, limits, self._pointer(0)), *given[1:]))

    def resolve_further(self, further: Sequence[PublishedModel], limits: MethodLimits) -> CompareModels:
        if not isinstance(self.options, tuple):
            raise ValueError("the parameters are not resolved for the model of the request")
        options = [self.options[0]]
        for number, model in enumerate(further, 1):
            try:
                class_output(model, None)
            except VisualizationError as error:
                error.pointer = f"/params/models/{number - 1}"
                raise
            options.append(self._completed(self.options[number], model, limits, self._pointer(number)))
        return self.changed(options=tuple(options))

    def attribution_params(self, number: int, class_index: int | None) -> MethodParams:
        """Return the parameters of the attribution method for a model, and for a class if its map depends on one.

        Args:
            number: the place of the model, 0 for the model of the request.
            class_index: the index of the class. None stands for the top class.
        """
        options = self.options[number] if isinstance(self.options, tuple) else self.options or {}
        return self._attribution(options, class_index, self._pointer(number))

    def _pointer(self, number: int) -> str:
        return f"/params/options/{number}" if isinstance(self.options, tuple) else "/params/options"

    def _completed(self, options: AttributionOptions, model: PublishedModel, limits: MethodLimits, pointer: str) -> AttributionOptions:
        """Return the options of one model with every default filled in, checked against the model."""
        return completed_options(self._attribution(options, None, pointer), model, limits, pointer, len(self.images))

    def _attribution(self, options: AttributionOptions, class_index: int | None, pointer: str) -> MethodParams:
        own = {"class_index": class_index, "precision": self.precision, "fit": self.fit, "annotate": False}
        return photo_attribution(self.attribution, options, own, pointer)
