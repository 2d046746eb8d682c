"""`filters`: what a channel, neuron or class wants to see, by gradient ascent in input space."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from schemas.errors import InvalidParameters, LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.base import ArtifactSpec, ClassSelector, Facts, MethodCard, PrecisionParams, default_layer
from schemas.methods.parts.filter_objectives import (
    ChannelIndex,
    Diversity,
    Neuron,
    Weight,
    WeightedObjective,
    channel_list,
    check_channels,
    check_neuron,
    layer_with_channels,
)
from schemas.methods.parts.filter_presets import PRESETS, FilterPreset, PresetNumbers, Regularisers, Transforms
from schemas.methods.parts.map_sizes import fixed_size
from schemas.models import LayerPath, PublishedModel


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


class Filters(PrecisionParams):
    """Images that excite channels (the default), a neuron, a whole layer, a direction, class logits or a sum of these most, found by
    gradient ascent."""

    card: ClassVar[MethodCard] = MethodCard(
        name="filters",
        title="Filter synthesis",
        summary="Images that excite a layer's channels, a neuron or a class most, by gradient ascent in input space.",
        reference="Olah et al., Feature Visualization, Distill 2017; Chollet, Deep Learning with Python, 5.4.2; Keras blog 2016",
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec("grid", "image", "All images tiled.", primary=True),
            ArtifactSpec("{image}", "image", "Each image alone, by the name that `facts.images` gives it."),
            ArtifactSpec(
                "images",
                "array",
                "(n, size, size, channels) float32 as synthesised. fourier: 0-1; pixel: the model's input units.",
            ),
            ArtifactSpec("curves", "array", "(n, steps) float32: each image's objective at every step."),
        ),
        facts=FiltersFacts,
        example={"layer": None, "channels": 8, "steps": 64},
    )

    preset: FilterPreset = Field(default="lucid", description="Fixes whatever is null below; named after its source.")
    layer: LayerPath | None = Field(default=None, description="Target layer; null: the model's default (not used for classes).")
    channels: int | Annotated[tuple[ChannelIndex, ...], Field(min_length=1)] | Literal["all"] | None = Field(
        default=None, description="One image a channel: the first n, a list of indices, or `all`; null: as many as the preset shows."
    )
    neuron: Neuron | None = Field(
        default=None, description="Instead: one position (y, x, k) of the layer's map, as it is for an image of `size`."
    )
    whole_layer: bool = Field(default=False, description="Instead: one image that excites all channels (mean of squares, as DeepDream).")
    direction: Annotated[tuple[tuple[ChannelIndex, Weight], ...], Field(min_length=1, max_length=4096)] | None = Field(
        default=None, description="Instead: one image for a direction in the layer's channels: pairs (channel, weight)."
    )
    objectives: Annotated[tuple[WeightedObjective, ...], Field(min_length=1, max_length=64)] | None = Field(
        default=None, description="Instead: one image for the weighted sum of several channels, neurons and classes, of any layers."
    )
    diversity: Diversity | None = Field(default=None, description="Of one channel (`channels` a list of one) several different images.")
    class_index: ClassSelector | Annotated[tuple[ClassSelector, ...], Field(min_length=1)] | None = Field(
        default=None, description="Instead: one image a class, that raises its logit; index, label, or a list."
    )
    parametrisation: Literal["pixel", "fourier"] | None = Field(
        default=None, description="What is moved: pixels, or a spectrum with decorrelated colour (preset `lucid` only)."
    )
    size: int | None = Field(
        default=None, ge=16, description="Side of the image, pixels; null: the preset's, or the model's own where the target needs that."
    )
    steps: int | None = Field(default=None, ge=1)
    learning_rate: float | None = Field(
        default=None, gt=0, description="In units of the spectrum (`fourier`), or of the preset's image: 0-1, 0-255 or -1 to 1 (`pixel`)."
    )
    transforms: Transforms | None = None
    regularisers: Regularisers | None = None
    columns: int | None = Field(default=None, ge=1, le=64, description="Tiles in a row of the grid; null: about as many as rows.")
    seed: int = Field(default=0, ge=0, lt=2**31)

    @model_validator(mode="after")
    def _one_objective(self) -> Filters:
        given = [name for name in ("channels", "neuron", "direction", "objectives", "class_index") if getattr(self, name) is not None]
        given += ["whole_layer"] if self.whole_layer else []
        if len(given) > 1:
            raise ValueError(f"give one of channels, neuron, whole_layer, direction, objectives, class_index; got {' and '.join(given)}")
        if self.class_index is not None and self.layer is not None:
            raise ValueError("class_index is about the model's output: leave layer out")
        if self.objectives is not None and self.layer is not None:
            raise ValueError("each of objectives has its own layer: leave layer out")
        if self.direction is not None and len({channel for channel, _ in self.direction}) < len(self.direction):
            raise ValueError("direction names a channel more than once")
        if self.diversity is not None and not (isinstance(self.channels, tuple) and len(self.channels) == 1):
            raise ValueError("diversity is of one channel: give channels as a list of one")
        return self

    def class_selectors(self) -> tuple[int | str, ...]:
        """The classes asked for; empty where the objective is not a class."""
        if self.class_index is None:
            return ()
        return self.class_index if isinstance(self.class_index, tuple) else (self.class_index,)

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Filters:
        preset = PRESETS[self.preset]
        changes: dict[str, Any] = {
            name: getattr(preset, name)
            for name in ("parametrisation", "steps", "learning_rate", "transforms", "regularisers", "columns")
            if getattr(self, name) is None
        }
        path, count = None, 1
        if self.objectives is not None:
            changes["objectives"] = tuple(objective.resolve(model) for objective in self.objectives)
        elif self.class_index is not None:
            indices = tuple(dict.fromkeys(model.class_index_of(selector) for selector in self.class_selectors()))
            changes["class_index"] = indices if isinstance(self.class_index, tuple) else indices[0]
            count = len(indices)
        else:
            path = self.layer or default_layer(model)
            layer = layer_with_channels(model, path)
            changes["layer"] = path
            if self.neuron is not None:
                check_neuron(layer, self.neuron)
            elif self.direction is not None:
                check_channels(layer, tuple(channel for channel, _ in self.direction), "/params/direction")
            elif not self.whole_layer:
                changes["channels"] = channels = channel_list(self.channels, layer, preset.count)
                count = self.diversity.count if self.diversity else len(channels)
        paths = tuple(dict.fromkeys(each.layer for each in changes["objectives"])) if self.objectives is not None else (path,)
        changes["size"] = self._size(model, paths, alone=count == 1 and "channels" in changes)
        resolved = self.changed(**changes)
        _check_together(resolved, preset)
        _check_limits(resolved, count, limits)
        return resolved

    def _size(self, model: PublishedModel, paths: Collection[str | None], *, alone: bool) -> int:
        """The side asked for, else the model's own where a target (None: the class output) needs it, else the preset's."""
        preset = PRESETS[self.preset]
        bound = {path: needed for path in paths if (needed := fixed_size(model.description, path)) is not None}
        if not bound:
            return self.size or (preset.size_alone if alone and preset.size_alone else preset.size)
        path, (height, width) = next(iter(bound.items()))
        if height != width or self.size not in (None, height):
            target = "The class score" if path is None else f"Layer '{path}'"
            square = "" if height == width else ", which is not square; synthesised images are"
            raise InvalidParameters(
                f"{target} of model '{model.description.name}' needs the model's own input size, {height}×{width}{square}: "
                "a flatten or reshape before it fixes the size.",
                pointer="/params/size",
                allowed=f"{height}×{width}" if square else str(height),
                got=str(self.size),
            )
        return height


def _check_together(params: Filters, preset: PresetNumbers) -> None:
    """Raises `InvalidParameters` for what each allows and both together do not."""
    if params.parametrisation == "fourier" and preset.parametrisation != "fourier":
        raise InvalidParameters(
            f"Preset '{params.preset}' is defined on pixels; with `fourier` use preset 'lucid'.",
            pointer="/params/parametrisation",
            allowed="pixel",
            got="fourier",
        )
    if params.parametrisation == "fourier" and params.regularisers and params.regularisers.blur:
        raise InvalidParameters(
            "blur is of pixels: with parametrisation `fourier` leave it out.",
            pointer="/params/regularisers/blur",
            allowed="0",
            got=str(params.regularisers.blur),
        )
    if (params.size or 0) <= 2 * preset.crop:
        raise InvalidParameters(
            f"Preset '{params.preset}' cuts {preset.crop} pixels off each border: size must be more than {2 * preset.crop}.",
            pointer="/params/size",
            allowed=f"more than {2 * preset.crop}",
            got=str(params.size),
        )


def _check_limits(params: Filters, count: int, limits: MethodLimits) -> None:
    size, steps = params.size or 0, params.steps or 0
    for value, limit, name, pointer in (
        (count, limits.max_filters, "filters in a job", "/params/class_index" if params.class_index is not None else "/params/channels"),
        (size, limits.max_synthesis_size, "size", "/params/size"),
        (steps, limits.max_steps, "steps", "/params/steps"),
        (size * size * steps * count, limits.max_synthesis_work, "size² × steps × filters", "/params"),
    ):
        if value > limit:
            raise LimitExceeded(f"{name}: at most {limit:,}, got {value:,}.", pointer=pointer, allowed=f"at most {limit}", got=str(value))
    if params.transforms and params.transforms.jitter >= size:
        raise InvalidParameters(f"jitter must be smaller than the image ({size} px).", pointer="/params/transforms/jitter")
