"""`deep_dream`: a photo changed so that it excites some layers more, at several scales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from schemas.errors import InvalidParameters, LimitExceeded, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.methods.precision import PrecisionParams
from schemas.methods.synthesis.map_sizes import fixed_size, layers_by_map
from schemas.models import Layer, LayerKind, LayerPath, ModelDescription, PublishedModel

DREAMED_KINDS = (LayerKind.MERGE, LayerKind.ACTIVATION, LayerKind.CONV)
DEFAULT_WEIGHTS = (1.0, 1.5, 2.0, 2.5)  # as keras.io gives to mixed4 to mixed7 of InceptionV3

LayerWeight = Annotated[float, Field(allow_inf_nan=False)]


class DreamLayer(Facts):
    layer: LayerPath
    weight: float


class DreamOctave(Facts):
    """One scale of the dream."""

    height: int
    width: int
    steps: int = Field(description="Steps taken; fewer than asked for where `max_loss` ended the octave.")
    first_loss: float
    last_loss: float


class DeepDreamFacts(Facts):
    layers: tuple[DreamLayer, ...] = Field(description="Layers and their weights in the loss.")
    height: int
    width: int
    octaves: tuple[DreamOctave, ...] = Field(description="From the smallest to the picture's own size.")


class DeepDream(PrecisionParams):
    """A photo changed by gradient ascent so that it excites some layers more, scale by scale, the detail lost between scales put back."""

    card: ClassVar[MethodCard] = MethodCard(
        name="deep_dream",
        title="DeepDream",
        summary="What layers see in a photo, made stronger in it: gradient ascent from the photo at several scales.",
        reference="Mordvintsev et al., Inceptionism, Google 2015; keras.io/examples/generative/deep_dream",
        needs_image=True,
        lane="slow",
        artifacts=(
            ArtifactSpec("dream", "image", "The dream, at the photo's own size unless `size` bounds it.", primary=True),
            ArtifactSpec("image", "array", "(height, width, channels) float32, not clipped: -1 is black, 1 white."),
            ArtifactSpec("curve", "array", "(all steps of all octaves,) float32: the loss at every step."),
        ),
        facts=DeepDreamFacts,
        example={"octaves": 3, "steps": 10},
    )

    layers: dict[LayerPath, LayerWeight] | None = Field(
        default=None,
        min_length=1,
        description="Layers to excite, each with its weight in the loss (below 0: to calm); null: some in the middle of the model.",
        examples=[{"block6_add": 1.0, "block10_add": 2.5}],
    )
    octaves: int = Field(default=3, ge=1, le=10, description="Scales, the largest that of the picture.")
    octave_scale: float = Field(default=1.4, gt=1, le=4, description="Ratio of one scale's sides to the one below it.")
    steps: int = Field(default=20, ge=1, description="Steps at each scale.")
    step_size: float = Field(
        default=0.01, gt=0, le=10, description="Length of a step: the mean change of a pixel where black is -1 and white 1."
    )
    max_loss: float | None = Field(
        default=None, allow_inf_nan=False, description="A scale ends when its loss is above this (keras.io: 15); null: never."
    )
    jitter: int = Field(default=0, ge=0, le=64, description="Random shift before each step, up to so many pixels in each direction.")
    size: int | None = Field(
        default=None,
        ge=16,
        description="Longest side of the picture at most, pixels; null: as long as is allowed. A photo smaller than the model's input "
        "is enlarged to it.",
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="Of the random shifts.")

    @field_validator("layers")
    @classmethod
    def _some_weight(cls, layers: dict[str, float] | None) -> dict[str, float] | None:
        if layers is not None and (idle := [path for path, weight in layers.items() if weight == 0]):
            raise ValueError(f"weight 0 excites nothing: leave out {', '.join(idle)}")
        return layers

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> DeepDream:
        layers = self.layers or default_layers(model.description)
        if len(layers) > limits.max_layers:
            raise LimitExceeded(
                f"One job dreams of at most {limits.max_layers} layers, got {len(layers)}.",
                pointer="/params/layers",
                allowed=f"at most {limits.max_layers}",
                got=str(len(layers)),
            )
        for path in layers:
            _check_layer(model, path)
        resolved = self.changed(layers=layers, size=self.size or limits.max_synthesis_size)
        _check_limits(resolved, limits)
        return resolved


def default_layers(model: ModelDescription) -> dict[str, float]:
    """Up to four layers, evenly spaced over those with the second smallest map (of ImageNet classifiers the one a 16th of the
    photo, as InceptionV3's mixed4 to mixed7), weighing more the deeper they are: sums and concatenations of branches, else
    activations, else convolutions.

    Raises:
        UnsuitableLayer: no layer has a spatial map.
    """
    coarsest: list[list[Layer]] = []
    for layers in reversed(layers_by_map(model, DREAMED_KINDS)):
        if len(coarsest) < 2 and (free := [layer for layer in layers if fixed_size(model, layer.path) is None]):
            coarsest.append(free)
    if not coarsest:
        raise UnsuitableLayer(f"Model '{model.name}' has no layer with a spatial map to dream of: name layers.", pointer="/params/layers")
    found = coarsest[-1]
    for kind in DREAMED_KINDS:
        if len(chosen := [layer for layer in found if layer.kind is kind]) >= min(len(found), 2):
            found = chosen
            break
    return dict(zip((layer.path for layer in _spaced(found, len(DEFAULT_WEIGHTS))), DEFAULT_WEIGHTS, strict=False))


def _spaced(layers: Sequence[Layer], count: int) -> list[Layer]:
    """At most `count`, the last among them, as evenly as can be."""
    count = min(count, len(layers))
    return [layers[round((index + 1) * len(layers) / count) - 1] for index in range(count)]


def _check_layer(model: PublishedModel, path: str) -> None:
    description = model.description
    layer = description.layer_at(path, "/params/layers")
    if len(layer.output_shape) != 3:
        spatial = [other.path for other in description.layers if len(other.output_shape) == 3][-5:]
        raise UnsuitableLayer(
            f"Layer '{path}' ({layer.type}, output {layer.output_shape}) has no spatial map. Layers that do include: {', '.join(spatial)}.",
            pointer="/params/layers",
            got=path,
            nearest=spatial,
        )
    if (needed := fixed_size(description, path)) is not None:
        raise UnsuitableLayer(
            f"Layer '{path}' of model '{description.name}' needs the model's own input size, {needed[0]}×{needed[1]}, because of a flatten "
            "or reshape before it, and a dream has several sizes. Name an earlier layer.",
            pointer="/params/layers",
            got=path,
        )


def _check_limits(params: DeepDream, limits: MethodLimits) -> None:
    size = params.size or 0
    octaves = sum(params.octave_scale ** (-2 * octave) for octave in range(params.octaves))
    for value, limit, name, pointer in (
        (size, limits.max_synthesis_size, "size", "/params/size"),
        (params.steps * params.octaves, limits.max_steps, "steps × octaves", "/params/steps"),
        (round(size * size * params.steps * octaves), limits.max_synthesis_work, "size² × steps over all octaves", "/params"),
    ):
        if value > limit:
            raise LimitExceeded(f"{name}: at most {limit:,}, got {value:,}.", pointer=pointer, allowed=f"at most {limit}", got=str(value))
    if params.jitter >= size:
        raise InvalidParameters(f"jitter must be smaller than the picture ({size} px).", pointer="/params/jitter", got=str(params.jitter))
