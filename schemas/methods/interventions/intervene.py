"""The parameters and facts of `intervene`: change activations of a layer, and see what follows."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from schemas.errors import InvalidParameters, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.channels import ChannelIndex, check_channels, layer_with_channels
from schemas.methods.facts import Facts, Prediction
from schemas.methods.other_image import OtherImageParams
from schemas.methods.precision import PrecisionParams
from schemas.methods.target_class import OutputParams, class_output
from schemas.methods.target_layer import default_layer
from schemas.models import Layer, LayerPath, PublishedModel

InterventionAction = Literal["scale", "zero", "mean", "swap"]
PhotoBox = tuple[Annotated[float, Field(ge=0)], Annotated[float, Field(ge=0)], Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]
SHOWN = 5  # classes of the chart


class ScoreChange(Facts):
    """One class before and after the intervention."""

    class_index: int = Field(description="This is the class index, counted from 0.")
    label: str | None = Field(description="This is the class label. It is null if the model has no labels.")
    logit_before: float = Field(description="This is its logit before.")
    logit_after: float = Field(description="This is its logit after.")
    probability_before: float = Field(description="This is its probability before, 0-1.")
    probability_after: float = Field(description="This is its probability after, 0-1.")
    rank_before: int = Field(description="This is its rank before, 1 for the top class.")
    rank_after: int = Field(description="This is its rank after.")


class ChannelChange(Facts):
    """One channel of the later layer before and after the intervention."""

    channel: int = Field(description="This is the index of the channel, counted from 0.")
    mean_before: float = Field(description="This is its mean over the positions before.")
    mean_after: float = Field(description="This is its mean over the positions after.")
    change: float = Field(description="This is the mean absolute difference over the positions.")


class InterveneFacts(Facts):
    """Says what was changed, and how the answer and the later maps changed with it."""

    layer: str = Field(description="This is the path of the layer whose activations are changed.")
    action: InterventionAction = Field(description="This is what was done to them.")
    channels: int = Field(description="This is the number of channels that were changed.")
    positions: int = Field(description="This is the number of positions at which they were changed.")
    before: tuple[Prediction, ...] = Field(description="These are the top classes before.")
    after: tuple[Prediction, ...] = Field(description="These are the top classes after.")
    changes: tuple[ScoreChange, ...] = Field(description="These are the classes of `before` and `after`, in this order, each once.")
    flipped: bool = Field(description="It says whether the top class is another one after the intervention.")
    later: str | None = Field(description="This is the path of the later layer. It is null if none is shown.")
    later_channels: tuple[ChannelChange, ...] = Field(
        description="These are the channels of the later layer that changed most, the one that changed most first."
    )


class Intervene(OutputParams, PrecisionParams, OtherImageParams):
    """Activations of a layer are changed, and the rest of the model computes with them."""

    card: ClassVar[MethodCard] = MethodCard(
        name="intervene",
        title="Intervention",
        summary=(
            "This changes channels or a region of a layer while the model looks at the photo: it scales them, sets them to zero or to "
            "their mean, or takes them from another photo. It shows how the answer and the maps of a later layer change."
        ),
        reference=(
            "Bau et al., Understanding the Role of Individual Units in a Deep Neural Network, arXiv:2009.05041 (ablation); Geiger et al., "
            "Causal Abstractions of Neural Networks, arXiv:2106.02997 (interchange)"
        ),
        formula="f(A′) instead of f(A), where A′ is A with the chosen values replaced by c·A, 0, mean(A), or those of another photo",
        cost="Two forward passes, and a third one for `swap`.",
        how_to_read=(
            "If the class's score falls when a channel is zero, the model needs the channel for this class in this photo. If a swap "
            "carries the answer of the other photo over, the layer holds there what the answer goes by."
        ),
        when_it_misleads=(
            "A changed layer is in a state that the model has never seen, so a large effect can come from the shock and not from what the "
            "channel means: compare zero with mean. That nothing happens does not mean that a channel is useless, because others can "
            "stand in for it."
        ),
        needs_image=True,
        lane="slow",
        artifacts=(
            ArtifactSpec(
                "picture",
                "image",
                "This shows the top classes before and after with their differences, and below them the channels of the later layer that "
                "changed most: before, after, and the difference.",
                primary=True,
            ),
            ArtifactSpec("logits", "array", "These are the logits before and after, (2, classes) float32."),
            ArtifactSpec("probabilities", "array", "These are the probabilities before and after, (2, classes) float32."),
            ArtifactSpec("changed", "array", "This is the changed output of the layer (…, K) float32, with which the model went on."),
            ArtifactSpec("later.before", "array", "This is the later layer's output before, float32.", optional=True),
            ArtifactSpec("later.after", "array", "This is the same after. Both are missing without a later layer.", optional=True),
        ),
        facts=InterveneFacts,
        example={"action": "zero", "channels": [0, 1]},
    )

    layer: LayerPath | None = Field(
        default=None, description="This is the path of the layer to change. If it is null, the model's default target layer is used."
    )
    action: InterventionAction = Field(
        default="zero",
        description=(
            "`scale` multiplies the activations by `factor`, `zero` sets them to 0, `mean` replaces each channel by its mean over the "
            "layer's positions, and `swap` takes them from the photo `other_image`."
        ),
    )
    factor: float = Field(default=2.0, ge=-1000, le=1000, description="`scale` multiplies the activations by this number.")
    channels: tuple[ChannelIndex, ...] | None = Field(
        default=None, min_length=1, description="These channels are changed, by their indices from 0. If it is null, all are."
    )
    box: PhotoBox | None = Field(
        default=None,
        description=(
            "Only positions whose centres lie in this part of the photo are changed, [top, left, height, width] in pixels of the photo. If "
            "it is null, all positions are."
        ),
        examples=[[20, 30, 100, 120]],
    )
    later: LayerPath | None = Field(
        default=None,
        description=(
            "This is the path of a later layer whose maps are compared. If it is null, it is the model's default target layer, unless that "
            "is not computed from `layer`; then none is shown."
        ),
    )
    shown: int = Field(default=4, ge=1, le=16, description="So many channels of the later layer are drawn, those that changed most.")
    top: int = Field(default=5, ge=1, le=100, description="The facts list this many top classes, and the picture up to 5.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Intervene:
        head = class_output(model, self.output)
        layer = layer_with_channels(model, self.layer or default_layer(model, self.output))
        if self.channels is not None:
            check_channels(layer, self.channels, "/params/channels")
        places = len(layer.output_shape) == 3 or layer.token_grid is not None
        if self.box is not None and not places:
            raise InvalidParameters(
                f"Layer '{layer.path}' (output {layer.output_shape}) has no positions in the photo, so box must be null.",
                pointer="/params/box",
                allowed="null",
            )
        if self.action == "mean" and len(layer.output_shape) < 2:
            raise InvalidParameters(
                f"Layer '{layer.path}' has no positions, so the mean of a channel is its only value. Give another action.",
                pointer="/params/action",
                allowed="scale, zero, swap",
                got="mean",
            )
        if (self.action == "swap") != (self.other_image is not None):
            raise InvalidParameters(
                "swap takes the activations of another photo, so give its id in other_image."
                if self.action == "swap"
                else f"Only swap takes another photo; the action is '{self.action}'.",
                pointer="/params/other_image",
                allowed="the id of an image" if self.action == "swap" else "null",
                got=str(self.other_image),
            )
        return self.changed(layer=layer.path, later=self._later(model, layer), top=min(self.top, head.classes or 1))

    def _later(self, model: PublishedModel, layer: Layer) -> str | None:
        description = model.description
        path = self.later or description.head_at(self.output).default_layer
        if path is None:
            return None
        found = description.layer_at(path, "/params/later")
        follows = found.path != layer.path and description.is_computed_from(found.path, layer.path)
        if self.later is None:
            return found.path if follows else None
        layer_with_channels(model, found.path, "/params/later")
        if not follows:
            near = [each.path for each in description.layers if description.is_computed_from(each.path, layer.path)][1:6]
            raise UnsuitableLayer(
                f"Layer '{found.path}' is not computed from layer '{layer.path}', so nothing changes there. Layers after it include: "
                f"{', '.join(near) or 'none'}.",
                pointer="/params/later",
                got=found.path,
                nearest=near,
            )
        return found.path
