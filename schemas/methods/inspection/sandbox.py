"""`sandbox`: what a few untrained layers make of a photo, stage by stage."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts
from schemas.models import PublishedModel


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Convolution(_Frozen):
    """Square kernels with random weights (Glorot uniform, as an untrained `Conv2D` has them), no bias, valid padding."""

    filters: int = Field(default=3, ge=1, le=16)
    kernel: int = Field(default=3, ge=1, le=31, description="Side of the kernels, pixels.")


class Pooling(_Frozen):
    """Windows side by side; what does not fill one is left out."""

    size: int = Field(default=2, ge=2, le=32, description="Side of the windows, pixels.")


class Nothing(_Frozen):
    """There is nothing to choose."""


class ConvStage(_Frozen):
    conv: Convolution


class ReluStage(_Frozen):
    relu: Nothing


class MaxPoolStage(_Frozen):
    max_pool: Pooling


class AveragePoolStage(_Frozen):
    average_pool: Pooling


Stage = ConvStage | ReluStage | MaxPoolStage | AveragePoolStage
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


def _conv(filters: int, kernel: int = 3) -> Stage:
    return ConvStage(conv=Convolution(filters=filters, kernel=kernel))


def _pool(size: int) -> Stage:
    return MaxPoolStage(max_pool=Pooling(size=size))


_RELU = ReluStage(relu=Nothing())


def _lenet(first: int, second: int, pools: tuple[int, int]) -> tuple[Stage, ...]:
    return _conv(first), _RELU, _pool(pools[0]), _conv(second), _RELU, _pool(pools[1])


PRESETS: dict[SandboxPreset, tuple[Stage, ...]] = {
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
assert set(PRESETS) == set(get_args(SandboxPreset))  # noqa: S101 - a preset that is named and not there


class StageFacts(Facts):
    """One stage's answer."""

    stage: str = Field(examples=["conv 10 × 10, 3 filters"])
    shape: tuple[int, int, int] = Field(description="(h, w, K).")
    min: float
    max: float
    mean: float


class SandboxFacts(Facts):
    photo: tuple[int, int] = Field(description="Its height and width.")
    stages: tuple[StageFacts, ...]


class Sandbox(MethodParams):
    """A stack of untrained layers on the whole photo at its own size, 0–255 as it is; what is there after each is drawn."""

    card: ClassVar[MethodCard] = MethodCard(
        name="sandbox",
        title="Sandbox",
        summary="What convolutions with random kernels, ReLU and pooling make of a photo, drawn after each stage; no model is needed.",
        reference="E. Reppel, Visualizing parts of Convolutional Neural Networks using Keras and Cats, 2017",
        needs_image=True,
        needs_model=False,
        lane="fast",
        artifacts=(
            ArtifactSpec("stages", "image", "The photo and what each stage makes of it, with its shape.", primary=True),
            ArtifactSpec(
                "stage_{n}",
                "image",
                "After stage n: three channels as red, green and blue, one in grey, others tiled; each stretched to 0–255 by itself.",
            ),
            ArtifactSpec("channels_{n}", "image", "After stage n, where it has three channels: each alone in grey."),
            ArtifactSpec("kernel_{n}", "array", "(side, side, inputs, filters) float32, where stage n is a convolution."),
            ArtifactSpec("output", "array", "(h, w, K) float32 after the last stage."),
        ),
        facts=SandboxFacts,
        example={"preset": "max_pool_2x2", "seed": 0},
    )

    preset: SandboxPreset | None = Field(default=None, description="The stages of one of the article's figures.")
    stages: Annotated[tuple[Stage, ...], Field(min_length=1, max_length=12)] | None = Field(
        default=None,
        description="Stages in order instead; null: the preset's (without one, those of `conv_3x3`).",
        examples=[[{"conv": {"filters": 3, "kernel": 10}}, {"relu": {}}, {"max_pool": {"size": 5}}]],
    )
    seed: int = Field(default=0, ge=0, lt=2**32, description="Of the kernels.")

    @model_validator(mode="after")
    def _preset_or_stages(self) -> Sandbox:
        if self.preset is not None and self.stages is not None and self.stages != PRESETS[self.preset]:
            raise ValueError(f"give either preset or stages: these are not the stages of '{self.preset}'")
        return self

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Sandbox:
        return self.resolve_alone(limits)

    def resolve_alone(self, limits: MethodLimits) -> Sandbox:
        return self.changed(stages=self.stages or PRESETS[self.preset or "conv_3x3"])
