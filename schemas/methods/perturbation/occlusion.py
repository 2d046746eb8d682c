"""The parameters of `occlusion`: how much a class's score falls when a window of the image is covered."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from pydantic import Field

from schemas.errors import InvalidParameters
from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams
from schemas.methods.heat import SIGNED_ALPHA
from schemas.methods.perturbation.base import FRAMES_PERTURBATION_ARTIFACTS, Baseline, PerturbationFacts, PerturbationParams, check_masks
from schemas.models import ModelDescription, PublishedModel

Side = Annotated[int, Field(ge=1)]
Sides = Side | tuple[Side, Side] | None

WINDOWS_PER_SIDE, STEPS_PER_SIDE = 4, 16
"""Each side of the default window is the input's side divided by the first number, and its default step by the second."""


class Occlusion(FramesParams, PerturbationParams):
    """The places where a covered window lowers or raises a class's score. The window slides over the model's input."""

    card: ClassVar[MethodCard] = MethodCard(
        name="occlusion",
        title="Occlusion",
        summary=(
            "A patch slides over the image. Each place is coloured by how much the class's score falls (red) or rises (blue) while the "
            "place is covered. The method needs no gradients."
        ),
        reference="Zeiler and Fergus, Visualizing and Understanding Convolutional Networks, arXiv:1311.2901, section 4.2",
        formula="y − y with the window covered, for each position of the window; where windows overlap, their mean",
        cost="One forward pass for each position of the window, in batches.",
        how_to_read=(
            "Red places are missed: the class falls when they are covered. Blue places stood in the way: covering them raises the class. "
            "It measures and needs no gradients, so it is a good check of the other methods."
        ),
        when_it_misleads=(
            "The result depends on the size of the window and on what it is filled with. A window smaller than the object may change "
            "nothing, because the rest of the object is enough. A filled window is itself something that the model never saw."
        ),
        needs_image=True,
        lane="slow",
        artifacts=FRAMES_PERTURBATION_ARTIFACTS,
        facts=PerturbationFacts,
        example={"class_index": None, "window": None, "stride": None},
        forward_only=True,
    )

    window: Sides = Field(
        default=None,
        description=(
            "This is the size of the covered window in pixels of the model's input: one number for both sides, or (height, width). If it "
            "is null, each side is a quarter of the input's side."
        ),
    )
    stride: Sides = Field(
        default=None,
        description=(
            "This is the step of the window in pixels: one number, or (down, across). It is at most the window's size. If it is null, it "
            "is a quarter of the window's size, which is a sixteenth of the input's side for the default window."
        ),
    )
    baseline: Baseline = Field(
        default="mean", description="This covers the window: the `mean` colour of the image, `black`, `white`, or the image `blurred`."
    )
    alpha: float = SIGNED_ALPHA

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Occlusion:
        given = model.description.input
        sides = (given.height, given.width)
        window = _both(self.window)
        if window is None and given.height is not None and given.width is not None:
            window = default_window(given.height, given.width)
        if window is None:
            if self.stride is not None:
                raise InvalidParameters(
                    f"Model '{model.description.name}' takes inputs of any size, so give window together with stride.",
                    pointer="/params/window",
                    allowed="a size in pixels",
                    got="null",
                )
            return super().resolve(model, limits)
        for side, length in zip(sides, window, strict=True):
            if side is not None and length > side:
                raise InvalidParameters(
                    f"A window of {window[0]}×{window[1]} is larger than the input of model '{model.description.name}', which is "
                    f"{given.height}×{given.width}.",
                    pointer="/params/window",
                    allowed=f"at most {given.height}×{given.width}",
                    got=f"{window[0]}×{window[1]}",
                )
        stride = _both(self.stride) or default_stride(window)
        if stride[0] > window[0] or stride[1] > window[1]:
            raise InvalidParameters(
                f"A stride of {stride[0]}×{stride[1]} leaves gaps between windows of {window[0]}×{window[1]}.",
                pointer="/params/stride",
                allowed=f"at most {window[0]}×{window[1]}",
                got=f"{stride[0]}×{stride[1]}",
            )
        resolved = super().resolve(model, limits).changed(window=window, stride=stride)
        check_masks(
            resolved.tries(model.description) * self.frame_count, limits, "/params/stride", " Take a larger stride or fewer frames."
        )
        return resolved

    def tries(self, model: ModelDescription) -> int:
        """Return the number of windows. If the model takes inputs of any size, it is the number for the largest image."""
        height, width = (model.input.longest if side is None else side for side in (model.input.height, model.input.width))
        window, stride = self.geometry(height, width)
        return shifts(height, window[0], stride[0]) * shifts(width, window[1], stride[1])

    def geometry(self, height: int, width: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return window and stride, each (height, width), of resolved parameters for an input of this size. Neither is larger than it."""
        window = _both(self.window) or default_window(height, width)
        window = (min(window[0], height), min(window[1], width))
        stride = _both(self.stride) or default_stride(window)
        return window, (min(stride[0], window[0]), min(stride[1], window[1]))


def default_window(height: int, width: int) -> tuple[int, int]:
    """Return the default window (height, width) for an input of this size."""
    return math.ceil(height / WINDOWS_PER_SIDE), math.ceil(width / WINDOWS_PER_SIDE)


def default_stride(window: tuple[int, int]) -> tuple[int, int]:
    """Return the default step of a window: a quarter of each side, rounded up."""
    part = STEPS_PER_SIDE // WINDOWS_PER_SIDE
    return math.ceil(window[0] / part), math.ceil(window[1] / part)


def shifts(side: int, window: int, stride: int) -> int:
    """Return how many windows cover a side of the input. The last one may reach beyond its end."""
    return math.ceil(max(0, side - window) / stride) + 1


def _both(sides: Sides) -> tuple[int, int] | None:
    return (sides, sides) if isinstance(sides, int) else sides
