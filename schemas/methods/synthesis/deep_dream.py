"""The parameters and facts of `deep_dream`: a photo changed so that it excites some layers more, at several scales."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from schemas.errors import InvalidParameters, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.annotate import TitleParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.methods.precision import PrecisionParams
from schemas.methods.synthesis.check_limit import check_limit
from schemas.methods.synthesis.drawn_channels import check_drawn_channels
from schemas.methods.synthesis.layers_by_map_size import layers_by_map_size
from schemas.methods.synthesis.required_input_size import required_input_size
from schemas.methods.synthesis.synthesis_size import SynthesisSize, sides_of, size_text
from schemas.models import Layer, LayerKind, LayerPath, ModelDescription, PublishedModel

DREAMED_KINDS = (LayerKind.MERGE, LayerKind.ACTIVATION, LayerKind.CONV)
DEFAULT_WEIGHTS = (1.0, 1.5, 2.0, 2.5)  # keras.io's example gives these to the layers mixed4 to mixed7 of InceptionV3

STEP_PRODUCTS = 1.5e10  # with the gradient about a quarter of a second on two cores, on which 1.8e11 products take a second
SMALLEST_TILE, LARGEST_TILE = 128, 4096

LayerWeight = Annotated[float, Field(allow_inf_nan=False)]


class DreamLayer(Facts):
    layer: LayerPath = Field(description="This is the path of the layer.")
    weight: float = Field(description="This is the layer's weight in the loss.")


class DreamOctave(Facts):
    """One scale of the dream."""

    height: int = Field(description="This is the height of the picture at this scale, in pixels.")
    width: int = Field(description="This is the width of the picture at this scale, in pixels.")
    steps: int = Field(description="This is the number of steps taken. It is less than asked for if `max_loss` ended the octave.")
    first_loss: float = Field(description="This is the loss at the first step.")
    last_loss: float = Field(description="This is the loss at the last step.")


class DeepDreamFacts(Facts):
    layers: tuple[DreamLayer, ...] = Field(description="These are the layers and their weights in the loss.")
    height: int = Field(description="This is the height of the dream in pixels.")
    width: int = Field(description="This is the width of the dream in pixels.")
    octaves: tuple[DreamOctave, ...] = Field(description="These are the scales, from the smallest to the picture's own size.")


class DeepDream(TitleParams, PrecisionParams):
    """A photo changed by gradient ascent so that it excites some layers more.

    The ascent goes from a small scale to the photo's own size, and the detail that is lost between two scales is put back.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="deep_dream",
        title="DeepDream",
        summary="This method strengthens what layers see in a photo, by gradient ascent from the photo at several scales.",
        reference="Mordvintsev et al., Inceptionism, Google 2015; keras.io/examples/generative/deep_dream",
        formula="gradient ascent on the photo for Σ over the layers of weight · mean(A²), at several scales",
        cost="One forward and one backward pass for each step at each scale.",
        how_to_read=(
            "The photo grows what the layers see in it: early layers give strokes and textures, later layers eyes, animals and buildings "
            "from the training set."
        ),
        when_it_misleads=(
            "It exaggerates: what appears need not have been recognised in the photo. It shows what the layer likes, and not why a class "
            "won."
        ),
        needs_image=True,
        lane="slow",
        artifacts=(
            ArtifactSpec(
                "dream",
                "image",
                "This is the dream under a title. Without the title, it has the photo's own size unless `size` is smaller.",
                primary=True,
            ),
            ArtifactSpec("image", "array", "This is the dream, (height, width, channels) float32, not clipped: -1 is black, 1 is white."),
            ArtifactSpec("curve", "array", "This is the loss at every step of every octave, (all steps,) float32."),
        ),
        facts=DeepDreamFacts,
        example={"octaves": 3, "steps": 10},
    )

    layers: dict[LayerPath, LayerWeight] | None = Field(
        default=None,
        min_length=1,
        description="These are the layers to excite, each with its weight in the loss. A layer with a weight below 0 is calmed. If it is "
        "null, up to four layers in the middle of the model are used.",
        examples=[{"block6_add": 1.0, "block10_add": 2.5}],
    )
    octaves: int = Field(default=3, ge=1, le=10, description="This is the number of scales. The largest is the picture's own size.")
    octave_scale: float = Field(
        default=1.4, gt=1, le=4, description="This is the ratio of one scale's sides to those of the next smaller scale."
    )
    steps: int = Field(default=20, ge=1, description="This is the number of steps at each scale.")
    step_size: float = Field(
        default=0.01,
        gt=0,
        le=10,
        description="This is the mean change of a pixel in one step. The distance from black (-1) to white (1) is 2.",
    )
    max_loss: float | None = Field(
        default=None,
        allow_inf_nan=False,
        description="A scale ends when its loss is above this number; keras.io's example uses 15. If it is null, a scale never ends early.",
    )
    jitter: int = Field(
        default=0,
        ge=0,
        le=64,
        description="Before each step, the picture is shifted at random by up to this many pixels each way.",
    )
    size: SynthesisSize | None = Field(
        default=None,
        description="This is the largest length in pixels that the picture's longest side may have, or the picture's own (height, width). "
        "If it is null, it is the largest that the service allows, and a photo smaller than the model's input is enlarged to it.",
    )
    tile: int | None = Field(
        default=None,
        ge=64,
        description="At a scale with a longer side than this, the gradient is computed in tiles of at most so many pixels a side. The "
        "tiles are shifted at random before each step, so that they leave no seams. If it is null, the tiles are as large as a step may be "
        "that takes about a quarter of a second on two processor cores, but at least 128 pixels.",
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="This is the seed of all random shifts. The same seed gives the same picture.")

    @field_validator("layers")
    @classmethod
    def _some_weight(cls, layers: dict[str, float] | None) -> dict[str, float] | None:
        if layers is not None and (idle := [path for path, weight in layers.items() if weight == 0]):
            raise ValueError(f"a layer with weight 0 has no effect, so leave out {', '.join(idle)}")
        return layers

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> DeepDream:
        check_drawn_channels(model)
        layers = self.layers or default_layers(model.description)
        check_limit("number of layers", len(layers), limits.max_layers, "/params/layers")
        full_paths = {_checked_layer(model, path): weight for path, weight in layers.items()}
        tile = self.tile or default_tile(model.description, full_paths)
        resolved = self.changed(layers=full_paths, size=self.size or limits.max_synthesis_size, tile=tile)
        _check_limits(resolved, limits)
        return resolved


def default_layers(model: ModelDescription) -> dict[str, float]:
    """Return up to four layers with their weights; deeper layers weigh more.

    The layers are spread evenly over those with the second smallest map. In ImageNet classifiers that map is a 16th of the photo, as in
    InceptionV3's mixed4 to mixed7. Sums and concatenations of branches are preferred, then activations, then convolutions.

    Raises:
        UnsuitableLayer: No layer has a spatial map.
    """
    coarsest: list[list[Layer]] = []
    for layers in reversed(layers_by_map_size(model, DREAMED_KINDS)):
        if len(coarsest) < 2 and (free := [layer for layer in layers if required_input_size(model, layer.path) is None]):
            coarsest.append(free)
    if not coarsest:
        raise UnsuitableLayer(f"Model '{model.name}' has no layer with a spatial map to dream of. Name layers.", pointer="/params/layers")
    found = coarsest[-1]
    for kind in DREAMED_KINDS:
        if len(chosen := [layer for layer in found if layer.kind is kind]) >= min(len(found), 2):
            found = chosen
            break
    return dict(zip((layer.path for layer in _spaced(found, len(DEFAULT_WEIGHTS))), DEFAULT_WEIGHTS, strict=False))


def default_tile(model: ModelDescription, paths: Iterable[str]) -> int:
    """Return the longest side of an image for which a step takes at most `STEP_PRODUCTS` products in its forward pass.

    It is a multiple of 32, from 128 to 4096. All layers up to the last named one are counted.
    """
    names = [layer.path for layer in model.layers]
    counted = model.layers[: 1 + max(names.index(path) for path in paths)]
    products = sum(layer.parameters * _positions_per_pixel(model, layer) for layer in counted)
    side = int((STEP_PRODUCTS / max(products, 1e-9)) ** 0.5) // 32 * 32
    return min(max(side, SMALLEST_TILE), LARGEST_TILE)


def _positions_per_pixel(model: ModelDescription, layer: Layer) -> float:
    """Return at how many positions a layer's kernels are applied, for each pixel of the input."""
    if len(layer.output_shape) != 3 or layer.kind is LayerKind.MODEL:
        return 0.0  # a nested model's layers are listed too
    height, width, _ = layer.output_shape
    if height and width and model.input.height and model.input.width:
        return height * width / (model.input.height * model.input.width)
    down, right = layer.receptive_field.stride if layer.receptive_field else (1, 1)
    return 1 / (down * right)


def _spaced(layers: Sequence[Layer], count: int) -> list[Layer]:
    """Return at most `count` layers, spaced as evenly as possible. The last layer is one of them."""
    count = min(count, len(layers))
    return [layers[round((index + 1) * len(layers) / count) - 1] for index in range(count)]


def _checked_layer(model: PublishedModel, path: str) -> str:
    """Return the full path of a layer that a dream can see."""
    description = model.description
    layer = description.layer_at(path, "/params/layers")
    path = layer.path
    if len(layer.output_shape) != 3:
        spatial = [other.path for other in description.layers if len(other.output_shape) == 3][-5:]
        raise UnsuitableLayer(
            f"Layer '{path}' ({layer.type}, output {layer.output_shape}) has no spatial map. Layers that have one include: "
            f"{', '.join(spatial)}.",
            pointer="/params/layers",
            got=path,
            nearest=spatial,
        )
    if (needed := required_input_size(description, path)) is not None:
        raise UnsuitableLayer(
            f"Layer '{path}' of model '{description.name}' needs the model's own input size, {needed[0]}×{needed[1]}, because of a flatten "
            "or reshape before it, but a dream has several sizes. Name an earlier layer.",
            pointer="/params/layers",
            got=path,
        )
    return path


def _check_limits(params: DeepDream, limits: MethodLimits) -> None:
    height, width = sides_of(params.size or 0)
    size = max(height, width)
    octaves = sum(params.octave_scale ** (-2 * octave) for octave in range(params.octaves))
    work = round(height * width * params.steps * octaves)
    check_limit("size", size, limits.max_synthesis_size, "/params/size")
    check_limit("product steps × octaves", params.steps * params.octaves, limits.max_steps, "/params/steps")
    check_limit("product height × width × steps over all octaves", work, limits.max_synthesis_work, "/params")
    if params.jitter >= min(height, width):
        raise InvalidParameters(
            f"jitter must be smaller than the picture, which has up to {size_text((height, width))} pixels, but got {params.jitter}.",
            pointer="/params/jitter",
            got=str(params.jitter),
        )
