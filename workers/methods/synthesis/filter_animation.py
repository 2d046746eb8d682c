"""Record the frames of an animation that shows the images of `filters` as they form."""

from __future__ import annotations

import math
from collections.abc import Generator

import numpy as np
from jaxtyping import UInt8

from rendering.drawings.synthesised_image import dead_tile
from schemas.methods.synthesis.filters import Filters
from schemas.models import Preprocessing
from workers.contract.artifacts import Animation
from workers.contract.synthesis import AscentState
from workers.methods.synthesis.pictures import averaged_down, synthesised_picture, tiled

DURATION_MILLISECONDS = 3000
HOLD_MILLISECONDS = 1500
TILES_SIDE = 768  # pixels of all tiles of a row or a column together, where averaging begins


def frame_steps(steps: int, frames: int) -> tuple[int, ...]:
    """Return the steps after which all frames but the last are taken. The first is step 1; the last frame shows the finished images."""
    return tuple(dict.fromkeys(np.linspace(1, steps, frames)[:-1].astype(int).tolist()))


def recorded(
    states: Generator[AscentState, None, AscentState],
    show: tuple[int, ...],
    params: Filters,
    preprocessing: Preprocessing,
    frames: list[UInt8[np.ndarray, "H W 3"]],
) -> Generator[AscentState, None, AscentState]:
    """Pass the states on, and append a frame to `frames` for each step in `show` and for the last state, if `params` asks for frames."""
    while True:
        try:
            state = next(states)
        except StopIteration as stop:
            if params.frames:
                frames.append(frame(params, preprocessing, stop.value))
            return stop.value
        if state.step in show[len(frames) : len(frames) + 1]:
            frames.append(frame(params, preprocessing, state))
        yield state


def frame(params: Filters, preprocessing: Preprocessing, state: AscentState) -> UInt8[np.ndarray, "H W 3"]:
    """Return all images as tiles of one picture, averaged down so that it has at most about 1,500 pixels a side.

    An image that no gradient has reached yet is a crossed tile.
    """
    across = params.columns or math.ceil(math.sqrt(len(state.images)))
    down = math.ceil(len(state.images) / across)
    side = max(1, TILES_SIDE // max(across, down))
    tiles = [averaged_down(synthesised_picture(params, preprocessing, image), side) for image in state.images]
    return tiled(params, [tile if seen else dead_tile(*tile.shape[:2]) for tile, seen in zip(tiles, state.gradient_seen, strict=True)])


def animation(frames: tuple[UInt8[np.ndarray, "H W 3"], ...]) -> tuple[Animation, ...]:
    """Return the animation of about three seconds, whose last frame is held, or nothing if there are no frames."""
    if not frames:
        return ()
    milliseconds = round(DURATION_MILLISECONDS / len(frames))
    return (Animation("animation", np.stack(frames), (milliseconds,) * (len(frames) - 1) + (HOLD_MILLISECONDS,)),)
