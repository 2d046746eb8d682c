"""The parameters and facts of `filters`: images that excite a channel, a neuron or a class, made by gradient ascent."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.annotate import NumberedTilesParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.methods.synthesis.ascent_params import AscentParams
from schemas.methods.synthesis.check_limit import check_limit
from schemas.methods.synthesis.drawn_channels import check_drawn_channels
from schemas.methods.synthesis.objective_params import ObjectiveParams
from schemas.methods.synthesis.presets import PRESETS
from schemas.models import PublishedModel


class FilterImage(Facts):
    """One synthesised image."""

    name: str = Field(
        description="This is the name of the image's artifact: `channel_12`, `channel_12_0` with `diversity`, `neuron_3_4_12`, "
        "`class_340`, `layer`, `direction` or `sum`."
    )
    channel: int | None = Field(
        default=None, description="This is the channel that the image excites. It is null if the objective is not a channel or a neuron."
    )
    class_index: int | None = Field(
        default=None, description="This is the class that the image excites. It is null if the objective is not a class."
    )
    label: str | None = Field(
        default=None, description="This is the class's label. It is null if the objective is not a class or the model has no labels."
    )
    objective: float = Field(
        description="This is the objective at the last step, without the regularisers. With `diversity`, the cost of similarity is "
        "subtracted."
    )
    rank: int = Field(description="The image with the highest final objective has rank 1. Dead images come last.")
    dead: bool = Field(description="This is true if no gradient ever reached the image, which is then drawn as a crossed tile.")
    dropped: bool = Field(
        default=False,
        description="This is true if the preset leaves the image out of the grid. `keras_blog` shows the best 64 images that respond.",
    )


class FiltersFacts(Facts):
    layer: str | None = Field(description="This is the path of the target layer. It is null for classes and sums.")
    images: tuple[FilterImage, ...] = Field(description="These are the images in the order asked for.")
    dead_channels: tuple[int, ...] = Field(description="These are the channels whose images no gradient ever reached.")


class Filters(NumberedTilesParams, AscentParams, ObjectiveParams):
    """Images that excite channels (the default), a neuron, a whole layer, a direction, class logits or a sum of these.

    They are made by gradient ascent in input space.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="filters",
        title="Filter synthesis",
        summary="This method makes images that excite a layer's channels, a neuron or a class most, by gradient ascent in input space.",
        reference=(
            "Olah et al., Feature Visualization, Distill 2017; Fel et al., arXiv:2306.06805; Chollet, Deep Learning with Python, "
            "5.4.2; Keras blog 2016"
        ),
        formula="x* = argmax_x of the channel's mean activation, by gradient ascent on a parametrised image",
        cost="One forward and one backward pass for each step; all channels run as one batch.",
        how_to_read=(
            "Each image is what excites the channel most. Look for the repeated pattern, and compare it with `top_patches`, which shows "
            "the same channel in real photos."
        ),
        when_it_misleads=(
            "The image is one answer of many: a channel may respond to several things, of which it shows one (`diversity` shows more). "
            "Without transforms and regularisers the ascent finds noise that only the network can see."
        ),
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec("grid", "image", "This shows all images as tiles under a title.", primary=True),
            ArtifactSpec("{image}", "image", "This is one image alone and without words, under the name that `facts.images` gives it."),
            ArtifactSpec(
                "images",
                "array",
                "These are the synthesised images, (n, height, width, channels) float32: in the model's input units for `pixel`, else 0-1.",
            ),
            ArtifactSpec("curves", "array", "This is each image's objective at every step, (n, steps) float32."),
            ArtifactSpec(
                "animation", "animation", "This shows all images as they form. It is made only if `frames` is above 0.", optional=True
            ),
        ),
        facts=FiltersFacts,
        example={"layer": None, "channels": 8, "steps": 64},
    )

    frames: int = Field(
        default=0,
        ge=0,
        le=64,
        description="This is the number of frames of an animation of the images as they form, spread evenly over the steps. If it is 0, "
        "there is no animation.",
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Filters:
        check_drawn_channels(model)
        objective = self.resolve_objective(model, PRESETS[self.preset].count)
        one_channel = objective.images == 1 and "channels" in objective.changes
        resolved = self.changed(**objective.changes, **self.preset_values(model, objective.layers, one_channel=one_channel))
        resolved.check_ascent(limits)
        work = resolved.pixels() * (resolved.steps or 0) * objective.images
        which = "/params/class_index" if self.class_index is not None else "/params/channels"
        check_limit("number of filters", objective.images, limits.max_filters, which)
        check_limit("product height × width × steps × filters", work, limits.max_synthesis_work, "/params")
        return resolved
