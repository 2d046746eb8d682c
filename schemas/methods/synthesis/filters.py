"""`filters`: what a channel, neuron or class wants to see, by gradient ascent in input space."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.methods.synthesis.ascent import AscentParams, check_limit
from schemas.methods.synthesis.objectives import ObjectiveParams
from schemas.methods.synthesis.presets import PRESETS
from schemas.models import PublishedModel


class FilterImage(Facts):
    """One synthesised image."""

    name: str = Field(
        description="`channel_12`, of several that differ `channel_12_0`, `neuron_3_4_12`, `class_340`, `layer`, `direction`, `sum`."
    )
    channel: int | None = None
    class_index: int | None = None
    label: str | None = None
    objective: float = Field(
        description="Its value at the last step, without regularisers; of diverse images less what their likeness costs."
    )
    rank: int = Field(description="1 is the highest final value; dead ones come last.")
    dead: bool = Field(description="No gradient: not drawn.")
    dropped: bool = Field(default=False, description="Left out of the grid by the preset (`keras_blog` shows the best 64 that respond).")


class FiltersFacts(Facts):
    layer: str | None
    images: tuple[FilterImage, ...] = Field(description="In the order asked for.")
    dead_channels: tuple[int, ...]


class Filters(AscentParams, ObjectiveParams):
    """Images that excite channels (the default), a neuron, a whole layer, a direction, class logits or a sum of these most, found by
    gradient ascent."""

    card: ClassVar[MethodCard] = MethodCard(
        name="filters",
        title="Filter synthesis",
        summary="Images that excite a layer's channels, a neuron or a class most, by gradient ascent in input space.",
        reference="Olah et al., Feature Visualization, Distill 2017; Fel et al., arXiv:2306.06805; Chollet, Deep Learning with Python, "
        "5.4.2; Keras blog 2016",
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec("grid", "image", "All images tiled.", primary=True),
            ArtifactSpec("{image}", "image", "Each image alone, by the name that `facts.images` gives it."),
            ArtifactSpec(
                "images",
                "array",
                "(n, size, size, channels) float32 as synthesised. pixel: the model's input units; else 0-1.",
            ),
            ArtifactSpec("curves", "array", "(n, steps) float32: each image's objective at every step."),
            ArtifactSpec("animation", "animation", "All images, tiled, as they form; made where `frames` asks for it.", optional=True),
        ),
        facts=FiltersFacts,
        example={"layer": None, "channels": 8, "steps": 64},
    )

    frames: int = Field(default=0, ge=0, le=64, description="Of an animation of the images as they form, evenly over the steps; 0: none.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Filters:
        changes, paths, count = self.by_model(model, PRESETS[self.preset].count)
        changes |= self.by_preset(model, paths, alone=count == 1 and "channels" in changes)
        resolved = self.changed(**changes)
        resolved.check_ascent(limits)
        work = max(resolved.size or 0, resolved.seen_side()) ** 2 * (resolved.steps or 0) * count
        check_limit(
            "filters in a job", count, limits.max_filters, "/params/class_index" if self.class_index is not None else "/params/channels"
        )
        check_limit("size² × steps × filters", work, limits.max_synthesis_work, "/params")
        return resolved
