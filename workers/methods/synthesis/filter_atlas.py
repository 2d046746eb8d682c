"""All channels of a layer by gradient ascent, some at a time, each group kept as it is finished."""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from schemas.methods.synthesis.filter_atlas import FilterAtlas, FilterAtlasFacts
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.contract.progress import Pieces, Reusable, Slice
from workers.contract.synthesis import AscentState, Objective
from workers.methods.synthesis.ascent import PREVIEW_SECONDS, ascent, dead_tile, piece, preview, ranking, to_picture, work_of
from workers.methods.synthesis.presets import RECIPES
from workers.rendering.grid import grid

GROUP = 16  # channels that are lost at most when the job is stopped
STRONGEST = 16


@dataclass(frozen=True)
class Atlas:
    """Of every channel, by channel: its picture, its objective at the last step, whether a gradient was seen. `reused`: how many were
    at hand."""

    pictures: tuple[UInt8[np.ndarray, "side side 3"], ...]
    objectives: Float32[np.ndarray, " channels"]
    seen: Bool[np.ndarray, " channels"]
    reused: int


def reusable(params: FilterAtlas) -> Reusable:
    """Every channel's image."""
    return Reusable(work_of(params, params.layer or ""))


def run(probe: Probe, inputs: Inputs, params: FilterAtlas) -> Generator[Slice, None, Atlas]:
    """Channels that are not at hand, in groups; each group is handed out as pieces when it is finished."""
    preprocessing = probe.description.preprocessing
    count = probe.description.layer_at(params.layer or "").channels or 0
    at_hand = {channel: inputs.pieces[str(channel)] for channel in range(count) if str(channel) in inputs.pieces}
    pictures = {channel: to_picture(params, preprocessing, np.asarray(arrays["image"])) for channel, arrays in at_hand.items()}
    objectives, seen = np.zeros(count, np.float32), np.zeros(count, np.bool_)
    for channel, arrays in at_hand.items():
        objectives[channel], seen[channel] = arrays["values"][-1], arrays["seen"]
    missing = [channel for channel in range(count) if channel not in at_hand]
    for start in range(0, len(missing), GROUP):
        group = missing[start : start + GROUP]
        last = yield from _ascended(probe, params, group, len(at_hand) + start, count)
        for at, channel in enumerate(group):
            pictures[channel] = to_picture(params, preprocessing, last.images[at])
        objectives[group], seen[group] = last.values[:, -1], last.gradient_seen
    return Atlas(tuple(pictures[channel] for channel in range(count)), objectives, seen, len(at_hand))


def _ascended(probe: Probe, params: FilterAtlas, group: Sequence[int], done: int, count: int) -> Generator[Slice, None, AscentState]:
    """The last state of a group; `done` channels of `count` came before it."""
    preprocessing, margin = probe.description.preprocessing, RECIPES[params.preset].margin
    ascending = probe.ascend(ascent(params, Objective("channel", params.layer, tuple(group), margin=margin), preprocessing))
    shown = time.monotonic()
    while True:
        try:
            state = next(ascending)
        except StopIteration as stop:
            last: AscentState = stop.value
            pieces = {str(channel): piece(last, at) for at, channel in enumerate(group)}
            yield _slice(last, done * last.total + last.total * len(group), count, pieces=pieces)
            return last
        small = None
        if time.monotonic() - shown >= PREVIEW_SECONDS:
            small, shown = preview(params, preprocessing, state.images), time.monotonic()
        yield _slice(state, done * state.total + state.step * len(group), count, small)


def _slice(
    state: AscentState, step: int, count: int, small: UInt8[np.ndarray, "H W 3"] | None = None, pieces: Pieces | None = None
) -> Slice:
    """A step of an atlas is a step of one channel."""
    value = float(state.values[:, -1].mean()) if state.step else None
    return Slice(step, state.total * count, value, small, pieces or {})


def draw(result: Atlas, photo: Photo | None, params: FilterAtlas) -> Output:
    del photo
    recipe, count = RECIPES[params.preset], len(result.pictures)
    side = result.pictures[0].shape[0]
    tiles = np.stack([picture if seen else dead_tile(side) for picture, seen in zip(result.pictures, result.seen, strict=True)])
    ranked = ranking(result.objectives, result.seen)
    order = np.array(ranked if params.order == "objective" else range(count), np.int32)
    dead = tuple(np.flatnonzero(~result.seen).tolist())
    facts = FilterAtlasFacts(
        layer=params.layer or "",
        channels=count,
        side=side,
        gap=recipe.gap,
        columns=min(params.columns or 1, count),
        strongest=tuple(channel for channel in ranked[:STRONGEST] if result.seen[channel]),
        dead_channels=dead,
        reused=result.reused,
    )
    silent = np.count_nonzero(result.seen & (result.objectives == 0))
    warnings = (f"No gradient ever reached the input for {len(dead)} of {count} channels: not drawn.",) if dead else ()
    if silent:
        warnings += (f"{silent} of {count} channels do not answer their own image: drawn is what leads towards an answer.",)
    artifacts = (
        Picture("atlas", grid(tiles[order], columns=params.columns, gap=recipe.gap, background=recipe.background), primary=True),
        Array("tiles", tiles),
        Array("objectives", result.objectives),
        Array("order", order),
    )
    return Output(artifacts, facts, warnings)
