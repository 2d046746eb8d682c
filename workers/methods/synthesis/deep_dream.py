"""DeepDream: a photo changed so that it excites some layers more, at several scales.

Mordvintsev et al., Inceptionism, Google 2015; the loop is keras.io/examples/generative/deep_dream's.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Hashable
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from schemas.methods.synthesis.deep_dream import DeepDream, DeepDreamFacts, DreamLayer, DreamOctave
from schemas.models import Preprocessing
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.contract.synthesis import DreamSpec, DreamState
from workers.methods.synthesis.presets import as_rgb

PREVIEW_SECONDS = 1.0
UNIT = 127.5  # the image's 0 and its 1 above that, in 0-255: -1 is black, 1 white, as InceptionV3 takes it in keras.io's example


@dataclass(frozen=True)
class Dream:
    """`image` (h, w, C) float32, -1 black and 1 white, in the order of the model's channels; `losses` of each of `shapes`."""

    image: Float32[np.ndarray, "h w c"]
    shapes: tuple[tuple[int, int], ...]
    losses: tuple[tuple[float, ...], ...]
    gradient_seen: bool
    preprocessing: Preprocessing


def run(probe: Probe, inputs: Inputs, params: DeepDream) -> Generator[Slice, None, Dream]:
    """The dream in slices, with a picture of it about every second."""
    assert inputs.image is not None  # noqa: S101 - the card needs one
    description = probe.description
    given, preprocessing = description.input, description.preprocessing
    shape = picture_size(inputs.image.shape[:2], at_least=max(given.height or 0, given.width or 0), at_most=params.size or 0)
    shapes = octaves(shape, params.octaves, params.octave_scale)
    dream = probe.dream(spec(params, preprocessing, pixels(inputs.image, shape, preprocessing, given.channels), shapes))
    shown = time.monotonic()
    while True:
        try:
            state = next(dream)
        except StopIteration as stop:
            last: DreamState = stop.value
            return Dream(last.image, shapes, last.losses, last.gradient_seen, preprocessing)
        small = None
        if time.monotonic() - shown >= PREVIEW_SECONDS:
            small, shown = to_picture(state.image, preprocessing), time.monotonic()
        yield Slice(state.step, state.total, state.losses[-1][-1], small)


def batch_key(params: DeepDream) -> Hashable:
    return params.model_dump_json()


def spec(
    params: DeepDream, preprocessing: Preprocessing, image: Float32[np.ndarray, "h w c"], shapes: tuple[tuple[int, int], ...]
) -> DreamSpec:
    """The dream that resolved parameters ask for."""
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
        precision=params.precision,
        scale=tuple((UNIT / std).tolist()),
        offset=tuple(((UNIT - mean) / std).tolist()),
    )


def picture_size(photo: tuple[int, ...], *, at_least: int, at_most: int) -> tuple[int, int]:
    """The photo's own (height, width), its longest side brought to at least and, above all, at most so many pixels."""
    longest = max(photo)
    factor = min(max(longest, at_least), at_most) / longest
    return max(1, round(photo[0] * factor)), max(1, round(photo[1] * factor))


def octaves(shape: tuple[int, int], count: int, scale: float) -> tuple[tuple[int, int], ...]:
    """(height, width) of each scale, smallest first; sides rounded down, as keras.io does, but not below 1."""
    height, width = shape
    return tuple((max(1, int(height / scale**octave)), max(1, int(width / scale**octave))) for octave in reversed(range(count)))


def pixels(
    image: UInt8[np.ndarray, "H W 3"], shape: tuple[int, int], preprocessing: Preprocessing, channels: int
) -> Float32[np.ndarray, "h w c"]:
    """The photo at another size, from -1 (black) to 1, its channels as the model takes them: RGB, BGR or luma (ITU-R 601)."""
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


def to_picture(image: Float32[np.ndarray, "h w c"], preprocessing: Preprocessing) -> UInt8[np.ndarray, "h w 3"]:
    """What is darker than black or brighter than white is cut off; channels in the order of RGB again."""
    drawn = np.clip(np.rint((image + 1) * UNIT), 0, 255).astype(np.uint8)
    return as_rgb(drawn[..., ::-1] if preprocessing.order == "bgr" else drawn)


def draw(result: Dream, photo: Photo | None, params: DeepDream) -> Output:
    """The dream as a picture, and as an array; the loss at every step."""
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
        Picture("dream", to_picture(result.image, result.preprocessing), primary=True),
        Array("image", result.image),
        Array("curve", np.concatenate([np.array(losses, np.float32) for losses in result.losses])),
    )
    return Output(artifacts, facts, _warnings(result, params))


def _warnings(result: Dream, params: DeepDream) -> tuple[str, ...]:
    found: list[str] = []
    if not result.gradient_seen:
        found.append("No gradient ever reached the photo: these layers are dead for it, and nothing was changed.")
    if ended := [octave + 1 for octave, losses in enumerate(result.losses) if len(losses) < params.steps]:
        scales = ", ".join(map(str, ended))
        found.append(f"Octave {scales}: ended before {params.steps} steps, the loss was above max_loss ({params.max_loss}).")
    return tuple(found)
