"""The parameters and facts of `sandbox`: a photo after each of a few untrained layers."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.models import PublishedModel


class StagePart(BaseModel):
    """Base of the stages and their settings."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Convolution(StagePart):
    """A convolution with square kernels of random weights (Glorot uniform, like an untrained `Conv2D`), no bias and valid padding."""

    filters: int = Field(default=3, ge=1, le=16, description="This is the number of filters.")
    kernel: int = Field(default=3, ge=1, le=31, description="This is the side of the kernels in pixels.")


class Pooling(StagePart):
    """A pooling of windows that lie side by side. Rows and columns that fill no window are left out."""

    size: int = Field(default=2, ge=2, le=32, description="This is the side of the windows in pixels.")


class Nothing(StagePart):
    """An empty object: the stage has no settings."""


class ConvStage(StagePart):
    """A convolution."""

    conv: Convolution = Field(description="These are the settings of the convolution.")


class ReluStage(StagePart):
    """A ReLU: negative values become 0."""

    relu: Nothing = Field(description="This is an empty object, because a ReLU has no settings.")


class MaxPoolStage(StagePart):
    """A pooling that keeps the maximum of each window."""

    max_pool: Pooling = Field(description="These are the settings of the pooling.")


class AveragePoolStage(StagePart):
    """A pooling that keeps the mean of each window."""

    average_pool: Pooling = Field(description="These are the settings of the pooling.")


SandboxStage = ConvStage | ReluStage | MaxPoolStage | AveragePoolStage
SandboxPreset = Literal[
    "conv_3x3",
    "conv_10x10",
    "conv_3x3_one_filter",
    "conv_15x15_one_filter",
    "relu",
    "max_pool_2x2",
    "max_pool_5x5",
    "relu_max_pool_5x5",
    "lenet_1_1",
    "lenet_3_1",
    "lenet_3_3",
]


def _conv(filters: int, kernel: int = 3) -> SandboxStage:
    return ConvStage(conv=Convolution(filters=filters, kernel=kernel))


def _pool(size: int) -> SandboxStage:
    return MaxPoolStage(max_pool=Pooling(size=size))


_RELU = ReluStage(relu=Nothing())


def _lenet(first: int, second: int, pools: tuple[int, int]) -> tuple[SandboxStage, ...]:
    return _conv(first), _RELU, _pool(pools[0]), _conv(second), _RELU, _pool(pools[1])


SANDBOX_PRESETS: dict[SandboxPreset, tuple[SandboxStage, ...]] = {
    "conv_3x3": (_conv(3),),
    "conv_10x10": (_conv(3, 10),),
    "conv_3x3_one_filter": (_conv(1),),
    "conv_15x15_one_filter": (_conv(1, 15),),
    "relu": (_conv(3), _RELU),
    "max_pool_2x2": (_conv(3), _pool(2)),
    "max_pool_5x5": (_conv(3), _pool(5)),
    "relu_max_pool_5x5": (_conv(3), _RELU, _pool(5)),
    "lenet_1_1": _lenet(1, 1, (3, 3)),
    "lenet_3_1": _lenet(3, 1, (3, 2)),
    "lenet_3_3": _lenet(3, 3, (3, 2)),
}
assert set(SANDBOX_PRESETS) == set(get_args(SandboxPreset))  # noqa: S101 - each name has its stages


class StageFacts(Facts):
    """The output of one stage."""

    stage: str = Field(description="This is the stage in words.", examples=["conv 10 × 10, 3 filters"])
    shape: tuple[int, int, int] = Field(description="This is the shape of the stage's output, (h, w, K).")
    min: float = Field(description="This is the smallest value.")
    max: float = Field(description="This is the largest value.")
    mean: float = Field(description="This is the mean of the values.")


class SandboxFacts(Facts):
    photo: tuple[int, int] = Field(description="This is the photo's height and width in pixels.")
    stages: tuple[StageFacts, ...] = Field(description="These are the stages in order.")


class Sandbox(MethodParams):
    """A stack of untrained layers on the whole photo at its own size, whose values stay 0-255. The output of each layer is drawn."""

    card: ClassVar[MethodCard] = MethodCard(
        name="sandbox",
        title="Sandbox",
        summary="This method draws a photo after each stage of convolutions with random kernels, ReLU and pooling. It needs no model.",
        reference="E. Reppel, Visualizing parts of Convolutional Neural Networks using Keras and Cats, 2017",
        formula="convolutions with random kernels, ReLU and pooling, one stage after the other",
        cost="No model: a few convolutions on the processor.",
        how_to_read=(
            "Watch what one operation does to a photo: a convolution mixes neighbours, ReLU cuts off what is negative, pooling keeps the "
            "largest value and makes the picture smaller. Beside a convolution's output are its kernels: red weights add what is at their "
            "place, blue weights subtract it."
        ),
        when_it_misleads="The kernels are random, so the pictures show what the operations do, and not what a trained network looks for.",
        needs_image=True,
        needs_model=False,
        lane="fast",
        artifacts=(
            ArtifactSpec(
                "stages", "image", "This shows the photo and the output of each stage, with its shape and what made it.", primary=True
            ),
            ArtifactSpec(
                "stage_{n}",
                "image",
                "This is the output of stage n: three channels as RGB, one channel in grey, others as tiles. Each channel is stretched "
                "to 0-255.",
            ),
            ArtifactSpec("channels_{n}", "image", "This shows each channel after stage n alone in grey, if there are three channels."),
            ArtifactSpec(
                "kernel_{n}", "array", "These are the kernels of stage n, (side, side, inputs, filters) float32, if it is a convolution."
            ),
            ArtifactSpec("output", "array", "This is the output of the last stage, (h, w, K) float32."),
        ),
        facts=SandboxFacts,
        example={"preset": "max_pool_2x2", "seed": 0},
    )

    preset: SandboxPreset | None = Field(
        default=None, description="This names the stages of one of the article's figures. If it is null, `stages` decides."
    )
    stages: Annotated[tuple[SandboxStage, ...], Field(min_length=1, max_length=12)] | None = Field(
        default=None,
        description="These are the stages in order. If it is null, they are the preset's, or those of `conv_3x3` if there is no preset.",
        examples=[[{"conv": {"filters": 3, "kernel": 10}}, {"relu": {}}, {"max_pool": {"size": 5}}]],
    )
    annotate: bool = Field(
        default=True,
        description=(
            "If it is true, each stage has a row with its output, the range of its values, and what made it: a convolution's kernels with "
            "their numbers, or words. If it is false, the sheet shows the outputs alone."
        ),
    )
    seed: int = Field(default=0, ge=0, lt=2**32, description="This is the seed of the kernels. The same seed gives the same kernels.")

    @model_validator(mode="after")
    def _preset_or_stages(self) -> Sandbox:
        if self.preset is not None and self.stages is not None and self.stages != SANDBOX_PRESETS[self.preset]:
            raise ValueError(f"give either preset or stages, but not both: these are not the stages of '{self.preset}'")
        return self

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Sandbox:
        return self.resolve_alone(limits)

    def resolve_alone(self, limits: MethodLimits) -> Sandbox:
        return self.changed(stages=self.stages or SANDBOX_PRESETS[self.preset or "conv_3x3"])
