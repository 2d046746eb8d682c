"""Run untrained layers on a photo, and draw the output of each stage.

Source: E. Reppel, Visualizing parts of Convolutional Neural Networks using Keras and Cats, 2017.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from rendering.drawings.stretched_channels import StretchedChannels, constant_channels
from rendering.photo import Photo
from rendering.side_by_side import CaptionedPicture, side_by_side
from schemas.errors import ImageTooLarge, InvalidImage
from schemas.methods.inspection.sandbox import (
    AveragePoolStage,
    ConvStage,
    MaxPoolStage,
    ReluStage,
    Sandbox,
    SandboxFacts,
    SandboxStage,
    StageFacts,
)
from workers.contract.artifacts import Array, Output, Picture, PictureOfArrays
from workers.methods.inspection.sandbox_sheet import (
    StageRow,
    drawn_kernels,
    kernel_picture,
    photo_values,
    pooled_values,
    relu_values,
    stage_sheet,
)
from workers.methods.inspection.untrained_layers import convolved, glorot_kernel, pooled

MOST_PRODUCTS = 20_000_000_000  # products of a weight and a pixel take about ten seconds on one core
MOST_VALUES = 50_000_000  # values of one stage take 200 MB


@dataclass(frozen=True)
class StageOutput:
    """The output of a stage, float32 (h, w, K), and its kernel (side, side, inputs, filters) if it is a convolution."""

    stage: SandboxStage
    maps: Float32[np.ndarray, "_ _ _"]
    kernel: Float32[np.ndarray, "_ _ _ _"] | None


def stage_name(stage: SandboxStage) -> str:
    """Return a stage in words, for example "conv 10 × 10, 3 filters"."""
    if isinstance(stage, ConvStage):
        side, filters = stage.conv.kernel, stage.conv.filters
        return f"conv {side} × {side}, {filters} filter{'s' * (filters > 1)}"
    if isinstance(stage, MaxPoolStage):
        return f"max pool {stage.max_pool.size} × {stage.max_pool.size}"
    if isinstance(stage, AveragePoolStage):
        return f"average pool {stage.average_pool.size} × {stage.average_pool.size}"
    return "relu"


def check_cost(stages: tuple[SandboxStage, ...], height: int, width: int) -> None:
    """Check that the stages can be computed for a photo of this size, before any of them is computed.

    Raises:
        InvalidImage: The maps that a stage gets are smaller than its window.
        ImageTooLarge: The stages need too many products in all, or one stage has too many values.
    """
    depth, products = 3, 0
    _within("The photo", height * width * depth, MOST_VALUES, "values")
    for number, stage in enumerate(stages, 1):
        side, what = _window(stage), f"Stage {number} ({stage_name(stage)})"
        if side > min(height, width):
            raise InvalidImage(
                f"{what} gets maps of {height} × {width}, which are smaller than its window. Give a larger photo, or fewer or smaller "
                f"stages.",
                pointer="/image",
                allowed=f"at least {side} × {side} before stage {number}",
                got=f"{height} × {width}",
            )
        if isinstance(stage, ConvStage):
            height, width = height - side + 1, width - side + 1
            products += height * width * side * side * depth * stage.conv.filters
            depth = stage.conv.filters
        else:
            height, width = height // side, width // side
        _within(what, height * width * depth, MOST_VALUES, "values")
        _within(f"All up to stage {number}", products, MOST_PRODUCTS, "products")


def _within(what: str, count: int, most: int, of: str) -> None:
    if count > most:
        words = f"{what} takes {count:,} {of}, but at most {most:,} are computed. Give a smaller photo, or fewer or smaller filters."
        raise ImageTooLarge(words, pointer="/image", allowed=f"at most {most} {of}", got=str(count))


def _window(stage: SandboxStage) -> int:
    if isinstance(stage, ConvStage):
        return stage.conv.kernel
    if isinstance(stage, MaxPoolStage):
        return stage.max_pool.size
    return stage.average_pool.size if isinstance(stage, AveragePoolStage) else 1


def stage_outputs(image: UInt8[np.ndarray, "h w 3"], stages: tuple[SandboxStage, ...], seed: int) -> Iterator[StageOutput]:
    """Yield the output of one stage after another for the photo, whose values stay 0-255. Equal seeds give equal kernels."""
    rng = np.random.default_rng(seed)
    maps = image.astype(np.float32)
    for stage in stages:
        kernel = None
        if isinstance(stage, ConvStage):
            kernel = glorot_kernel(rng, stage.conv.kernel, maps.shape[2], stage.conv.filters)
            maps = convolved(maps, kernel)
        elif isinstance(stage, ReluStage):
            maps = np.maximum(maps, 0)
        else:
            maps = pooled(maps, _window(stage), average=isinstance(stage, AveragePoolStage))
        yield StageOutput(stage, maps, kernel)


def draw(result: None, photo: Photo, params: Sandbox) -> Output:
    """Run the stages on the photo, and draw the output of each.

    Raises:
        InvalidImage: The photo is too small for a stage.
        ImageTooLarge: The stages would take too long, or too much memory.
    """
    del result
    stages = params.stages or ()
    check_cost(stages, *photo.image.shape[:2])
    rows = [
        StageRow(
            _caption("photo", photo.image.shape), photo.image, "The values are 0 to 255. Some from the middle:", photo_values(photo.image)
        )
    ]
    before = photo.image.astype(np.float32)
    artifacts: list[Picture | PictureOfArrays | Array] = []
    facts: list[StageFacts] = []
    warnings: list[str] = []
    for number, each in enumerate(stage_outputs(photo.image, stages, params.seed), 1):
        name, maps = stage_name(each.stage), each.maps
        output = Array("output", maps)
        drawing = StretchedChannels(source=output.name)
        picture = drawing.draw({output.name: maps})
        span = f" · values {_number(float(maps.min()))} to {_number(float(maps.max()))}" if params.annotate else ""
        rows.append(StageRow(_caption(name, maps.shape) + span, picture, *_explained(each, before, of_photo=number == 1)))
        before = maps
        drawings = {f"stage_{number}": drawing}
        if maps.shape[2] == 3:
            drawings[f"channels_{number}"] = StretchedChannels(source=output.name, tiles=True)
        is_last = number == len(stages)  # only the last output is an artifact, so only its pictures can be drawn later
        for title, one in drawings.items():
            artifacts.append(PictureOfArrays.of(title, one, [output]) if is_last else Picture(title, one.draw({output.name: maps})))
        if each.kernel is not None:
            artifacts.append(Array(f"kernel_{number}", each.kernel))
        if is_last:
            artifacts.append(output)
        if flat := np.flatnonzero(constant_channels(maps)).tolist():
            listed = ", ".join(map(str, flat))
            in_colour = " They add no colour to the picture of all three." if maps.shape[2] == 3 and len(flat) < 3 else ""
            warnings.append(f"Stage {number} ({name}): these channels are the same everywhere, and are one grey: {listed}.{in_colour}")
        facts.append(StageFacts(stage=name, shape=maps.shape, min=float(maps.min()), max=float(maps.max()), mean=float(maps.mean())))
    if params.annotate:
        sheet = stage_sheet(rows, photo.image.shape[:2])
    else:
        sheet = side_by_side([CaptionedPicture(row.caption, row.picture) for row in rows], photo.image.shape[:2])
    return Output(
        (Picture("stages", sheet, primary=True), *artifacts),
        SandboxFacts(photo=photo.image.shape[:2], stages=tuple(facts)),
        tuple(warnings),
    )


def _explained(output: StageOutput, before: Float32[np.ndarray, "_ _ _"], *, of_photo: bool) -> tuple[str, UInt8[np.ndarray, "_ _ 3"]]:
    """Return what a stage does, in words and as a picture of kernels or of values before and after it."""
    if output.kernel is not None:
        return f"Each value is a weighted sum{drawn_kernels(output.kernel)}.", kernel_picture(output.kernel, of_photo=of_photo)
    if isinstance(output.stage, ReluStage):
        return "Each value below 0 becomes 0.", relu_values(before)
    size = _window(output.stage)
    words = f"Each {size} × {size} window becomes its {'mean' if isinstance(output.stage, AveragePoolStage) else 'largest value'}."
    return words, pooled_values(before, output.maps, size)


def _number(value: float) -> str:
    return f"{value:.3g}".replace("-", "−")


def _caption(what: str, shape: tuple[int, ...]) -> str:
    return f"{what} · {' × '.join(str(length) for length in shape)}"
