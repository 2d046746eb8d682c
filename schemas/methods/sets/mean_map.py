"""The parameters and facts of `mean_map`: where a model looks on average in the photos of a set."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.methods.precision import PrecisionParams
from schemas.methods.sets.photo_attribution import (
    ATTRIBUTION,
    TAKEN,
    AttributionOptions,
    check_not_taken,
    completed_options,
    photo_attribution,
)
from schemas.methods.several_images import ImagesParams
from schemas.methods.target_class import class_output
from schemas.methods.targets import ClassSelector
from schemas.models import PublishedModel


class MeanMapFacts(Facts):
    """The class, and how alike the maps of the photos are."""

    attribution: str = Field(description="This is the method whose maps are averaged.")
    class_index: int = Field(description="This is the index of the class that all maps explain.")
    label: str | None = Field(description="This is the label of the class. It is null if the model has no labels.")
    images: int = Field(description="This is the number of photos.")
    top_class: int = Field(description="This is the number of photos whose top class it is.")
    flat: int = Field(description="This is the number of photos whose map is the same everywhere. They count as maps of zeros.")
    agreement: float | None = Field(
        description="This is the mean rank correlation (Spearman, -1 to 1) of a photo's map with the mean map of the others. It is null if "
        "there are fewer than two maps that are not flat."
    )
    frame: tuple[int, int] = Field(description="These are the height and the width of the frame in which the maps lie over one another.")


class MeanMap(PrecisionParams, ImagesParams):
    """The mean and the spread of an attribution method's maps over the photos of a set."""

    card: ClassVar[MethodCard] = MethodCard(
        name="mean_map",
        title="Mean map of a set",
        summary=(
            "This shows where a model looks for a class on average over the photos of a set, and where the photos differ: the mean and the "
            "spread of the maps of any attribution method, in the frame that the model sees."
        ),
        reference="Lapuschkin et al., Unmasking Clever Hans Predictors, arXiv:1902.10178 (maps of many photos show what one map hides)",
        formula="mean and standard deviation over the photos of the map, each divided by its largest absolute value",
        cost="One forward pass and one run of the attribution method for each photo.",
        how_to_read=(
            "A warm place of the mean is one where the model looks in many photos, whatever they show there: a corner with a watermark, "
            "the middle, a border. The spread is small where all photos agree, and large where only some of them are warm."
        ),
        when_it_misleads=(
            "Photos are laid over one another as they are, so objects at different places give a blur in the middle. This is "
            "about places in the frame, and not about objects. A mean of a few photos says little: look at `agreement` in the facts."
        ),
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec("picture", "image", "This shows the mean photo, the mean map on it, and the spread on it.", primary=True),
            ArtifactSpec("mean", "array", "This is the mean of the scaled maps (H, W) float32 over the frame."),
            ArtifactSpec("spread", "array", "This is their standard deviation (H, W) float32 over the frame, 0 for one photo."),
            ArtifactSpec("count", "array", "This is the number of photos (H, W) int32 that have something at each place of the frame."),
        ),
        facts=MeanMapFacts,
        example={"images": [f"img_{digit * 64}" for digit in "abc"], "attribution": "grad_cam", "class_index": 1},
        forward_only=True,
    )

    attribution: str = Field(
        default="grad_cam", min_length=1, max_length=64, description=f"The maps of this method are averaged. {ATTRIBUTION}"
    )
    options: AttributionOptions | None = Field(
        default=None,
        description=(
            "These are the parameters of that method, as /v1/methods describes them. Parameters that are left out have their defaults. "
            f"{', '.join(TAKEN)} are not allowed here."
        ),
        examples=[{"layer": None}],
    )
    class_index: ClassSelector | None = Field(
        default=None,
        description=(
            "This is the class to explain: a class index or a label. If it is null, it is the class that is the top class of most photos."
        ),
    )
    scale: Literal["each", "none"] = Field(
        default="each",
        description=(
            "If it is `each`, every map is divided by its largest absolute value first, so that all photos count alike. If it is `none`, "
            "the maps are averaged as they are."
        ),
    )

    @field_validator("options")
    @classmethod
    def _none_taken(cls, options: AttributionOptions | None) -> AttributionOptions | None:
        check_not_taken(options or {})
        return options

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> MeanMap:
        self.check_count(limits)
        class_output(model, None)
        chosen = None if self.class_index is None else model.class_index_of(self.class_index)
        pointer = "/params/options"
        options = completed_options(self.attribution_params(None), model, limits, pointer, len(self.images))
        return self.changed(class_index=chosen, options=options)

    def attribution_params(self, class_index: int | None) -> MethodParams:
        """Return the parameters of the attribution method for a class, if its map depends on one. None stands for the top class."""
        own = {"class_index": class_index, "precision": self.precision, "fit": self.fit, "annotate": False}
        return photo_attribution(self.attribution, self.options or {}, own, "/params/options")
