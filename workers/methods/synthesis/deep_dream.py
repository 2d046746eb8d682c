"""DeepDream: change a photo so that it excites some layers more, at several scales.

Source: Mordvintsev et al., Inceptionism, Google 2015. The loop is that of keras.io/examples/generative/deep_dream.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from rendering.drawings.synthesised_image import as_rgb
from rendering.photo import Photo
from schemas.methods.synthesis.deep_dream import DeepDream, DeepDreamFacts, DreamLayer, DreamOctave
from schemas.models import Preprocessing
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.contract.synthesis import DreamSpec
from workers.methods.synthesis.previews import slices_with_previews

# The level of 0-255 that is 0 in the dream's image, and the distance from there to 1: -1 is black and 1 is white, as InceptionV3 takes
# its input in keras.io's example.
UNIT = 127.5


@dataclass(frozen=True)
class DreamedPhoto:
    """The finished dream.

    Attributes:
        image: float32 (h, w, C), -1 is black and 1 is white, with the channels in the model's order.
        shapes: (height, width) of each octave, the smallest first.
        losses: The loss at each step of each octave.
        gradient_seen: False if no gradient ever reached the photo.
        preprocessing: How the model takes its input.
    """

    image: Float32[np.ndarray, "h w c"]
    shapes: tuple[tuple[int, int], ...]
    losses: tuple[tuple[float, ...], ...]
    gradient_seen: bool
    preprocessing: Preprocessing


def run(probe: Probe, inputs: Inputs, params: DeepDream) -> Generator[Slice, None, DreamedPhoto]:
    """Dream in slices, with a preview about once a second."""
    assert inputs.image is not None  # noqa: S101 - the method's card needs an image
    description = probe.description
    given, preprocessing = description.input, description.preprocessing
    if isinstance(params.size, tuple):
        shape = params.size
    else:
        shape = picture_size(inputs.image.shape[:2], at_least=max(given.height or 0, given.width or 0), at_most=params.size or 0)
    shapes = octaves(shape, params.octaves, params.octave_scale)
    dream = probe.dream(spec(params, preprocessing, dream_input(inputs.image, shape, preprocessing, given.channels), shapes))
    last = yield from slices_with_previews(
        dream,
        lambda state: dream_picture(state.image, preprocessing),
        lambda state, picture: Slice(state.step, state.total, _last_loss(state.losses), picture),
    )
    return DreamedPhoto(last.image, shapes, last.losses, last.gradient_seen, preprocessing)


def spec(
    params: DeepDream, preprocessing: Preprocessing, image: Float32[np.ndarray, "h w c"], shapes: tuple[tuple[int, int], ...]
) -> DreamSpec:
    """Return the dream that resolved parameters ask for.

    Args:
        image: The photo as `dream_input` returns it.
        shapes: (height, width) of each octave, as `octaves` returns them.
    """
    mean, std = np.broadcast_arrays(np.array(preprocessing.mean), np.array(preprocessing.std))
    return DreamSpec(
        image=image,
        layers=tuple((params.layers or {}).items()),
        shapes=shapes,
        steps=params.steps,
        step_size=params.step_size,
        max_loss=params.max_loss,
        jitter=params.jitter,
        seed=params.seed,
        tile=params.tile,
        precision=params.precision,
        scale=tuple((UNIT / std).tolist()),
        offset=tuple(((UNIT - mean) / std).tolist()),
    )


def picture_size(photo: tuple[int, ...], *, at_least: int, at_most: int) -> tuple[int, int]:
    """Return the photo's (height, width), enlarged or reduced so that its longest side is within both bounds.

    If the bounds contradict each other, `at_most` decides.
    """
    longest = max(photo)
    factor = min(max(longest, at_least), at_most) / longest
    return max(1, round(photo[0] * factor)), max(1, round(photo[1] * factor))


def octaves(shape: tuple[int, int], count: int, scale: float) -> tuple[tuple[int, int], ...]:
    """Return (height, width) of each octave, the smallest first. Sides are rounded down, as in keras.io's example, but are at least 1."""
    height, width = shape
    return tuple((max(1, int(height / scale**octave)), max(1, int(width / scale**octave))) for octave in reversed(range(count)))


def dream_input(
    image: UInt8[np.ndarray, "H W 3"], shape: tuple[int, int], preprocessing: Preprocessing, channels: int
) -> Float32[np.ndarray, "h w c"]:
    """Return the photo at another size, in the dream's units of -1 (black) to 1 (white).

    Its channels are in the order that the model takes: RGB, BGR, or luma (ITU-R 601) in every channel.
    """
    height, width = shape
    smaller = height * width < image.shape[0] * image.shape[1]
    x = image.astype(np.float32)
    if shape != image.shape[:2]:
        x = np.asarray(cv2.resize(x, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC))
    if channels == 1 or preprocessing.order == "gray":
        x = np.repeat((x @ np.array([0.299, 0.587, 0.114], np.float32))[..., None], channels, axis=-1)
    elif preprocessing.order == "bgr":
        x = x[..., ::-1]
    return (x / np.float32(UNIT) - 1).astype(np.float32)


def dream_picture(image: Float32[np.ndarray, "h w c"], preprocessing: Preprocessing) -> UInt8[np.ndarray, "h w 3"]:
    """Return a dream as an RGB picture. Values darker than black or brighter than white are clipped."""
    drawn = np.clip(np.rint((image + 1) * UNIT), 0, 255).astype(np.uint8)
    return as_rgb(drawn[..., ::-1] if preprocessing.order == "bgr" else drawn)


def _last_loss(losses: Sequence[Sequence[float]]) -> float | None:
    """Return the loss of the last whole step, or None before the first."""
    return next((octave[-1] for octave in reversed(losses) if octave), None)


def draw(result: DreamedPhoto, photo: Photo | None, params: DeepDream) -> Output:
    """Draw the dream as a picture and as an array, with the loss at every step."""
    del photo
    facts = DeepDreamFacts(
        layers=tuple(DreamLayer(layer=path, weight=weight) for path, weight in (params.layers or {}).items()),
        height=result.image.shape[0],
        width=result.image.shape[1],
        octaves=tuple(
            DreamOctave(height=height, width=width, steps=len(losses), first_loss=losses[0], last_loss=losses[-1])
            for (height, width), losses in zip(result.shapes, result.losses, strict=True)
        ),
    )
    artifacts = (
        Picture("dream", dream_picture(result.image, result.preprocessing), primary=True),
        Array("image", result.image),
        Array("curve", np.concatenate([np.array(losses, np.float32) for losses in result.losses])),
    )
    layers = " + ".join(f"{f'{each.weight:g}'.replace('-', '−')} × {each.layer}" for each in facts.layers)
    return Output(artifacts, facts, _warnings(result, params), layers)


def _warnings(result: DreamedPhoto, params: DeepDream) -> tuple[str, ...]:
    found: list[str] = []
    if not result.gradient_seen:
        found.append("No gradient ever reached the photo: these layers are dead for it, so nothing was changed.")
    if ended := [octave + 1 for octave, losses in enumerate(result.losses) if len(losses) < params.steps]:
        scales = ", ".join(map(str, ended))
        found.append(f"Octave {scales} ended before {params.steps} steps because the loss was above max_loss ({params.max_loss}).")
    return tuple(found)
