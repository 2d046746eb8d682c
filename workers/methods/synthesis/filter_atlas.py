"""Make an image for every channel of a layer by gradient ascent, one group of channels after another."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt8

from rendering.drawings.synthesised_image import dead_tile
from rendering.grid import grid
from rendering.photo import Photo
from rendering.tile_numbers import numbered
from schemas.methods.synthesis.filter_atlas import FilterAtlas, FilterAtlasFacts
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Pieces, Reusable, Slice
from workers.contract.synthesis import AscentState, Objective
from workers.methods.synthesis.ascent_spec import ascent_spec
from workers.methods.synthesis.channel_images import image_piece, ranking, work_key
from workers.methods.synthesis.pictures import preview, synthesised_picture
from workers.methods.synthesis.previews import slices_with_previews
from workers.methods.synthesis.recipes import RECIPES

GROUP = 16  # channels of one ascent; a job that is stopped loses no more than these
STRONGEST = 16  # channels that the facts name


@dataclass(frozen=True)
class ChannelAtlas:
    """The images of a layer's channels, by channel.

    Attributes:
        pictures: uint8 RGB, one for each channel.
        objectives: float32 (channels,), the objective at the last step.
        gradient_seen: (channels,), false for a channel whose image no gradient ever reached.
        reused: How many images were taken over from earlier jobs.
    """

    pictures: tuple[UInt8[np.ndarray, "h w 3"], ...]
    objectives: Float32[np.ndarray, " channels"]
    gradient_seen: Bool[np.ndarray, " channels"]
    reused: int


def reusable(params: FilterAtlas) -> Reusable:
    """Return every channel's image as reusable."""
    return Reusable(work_key(params, params.layer or ""))


def run(probe: Probe, inputs: Inputs, params: FilterAtlas) -> Generator[Slice, None, ChannelAtlas]:
    """Synthesise the channels that are not at hand as pieces, in groups. A finished group is handed out as pieces."""
    preprocessing = probe.description.preprocessing
    count = probe.description.layer_at(params.layer or "").channels or 0
    at_hand = {channel: inputs.pieces[str(channel)] for channel in range(count) if str(channel) in inputs.pieces}
    pictures = {channel: synthesised_picture(params, preprocessing, np.asarray(arrays["image"])) for channel, arrays in at_hand.items()}
    objectives, seen = np.zeros(count, np.float32), np.zeros(count, np.bool_)
    for channel, arrays in at_hand.items():
        objectives[channel], seen[channel] = arrays["values"][-1], arrays["seen"]
    missing = [channel for channel in range(count) if channel not in at_hand]
    for start in range(0, len(missing), GROUP):
        group = missing[start : start + GROUP]
        last = yield from _ascend_group(probe, params, group, len(at_hand) + start, count)
        for at, channel in enumerate(group):
            pictures[channel] = synthesised_picture(params, preprocessing, last.images[at])
        objectives[group], seen[group] = last.values[:, -1], last.gradient_seen
    return ChannelAtlas(tuple(pictures[channel] for channel in range(count)), objectives, seen, len(at_hand))


def _ascend_group(probe: Probe, params: FilterAtlas, group: Sequence[int], done: int, count: int) -> Generator[Slice, None, AscentState]:
    """Run the ascent of a group after `done` of all `count` channels, and hand out its images."""
    preprocessing, margin = probe.description.preprocessing, RECIPES[params.preset].margin
    spec = ascent_spec(params, Objective("channel", params.layer, tuple(group), margin=margin), preprocessing)
    last = yield from slices_with_previews(
        probe.ascend(spec),
        lambda state: preview(params, preprocessing, state.images),
        lambda state, picture: _slice(state, done * state.total + state.step * len(group), count, picture),
    )
    pieces = {str(channel): image_piece(last, at) for at, channel in enumerate(group)}
    yield _slice(last, done * last.total + last.total * len(group), count, pieces=pieces)
    return last


def _slice(
    state: AscentState, step: int, count: int, picture: UInt8[np.ndarray, "H W 3"] | None = None, pieces: Pieces | None = None
) -> Slice:
    """Return a slice whose steps are steps of one channel."""
    value = float(state.values[:, -1].mean()) if state.step else None
    return Slice(step, state.total * count, value, picture, pieces or {})


def draw(result: ChannelAtlas, photo: Photo | None, params: FilterAtlas) -> Output:
    """Draw the atlas. A channel whose image no gradient reached is a crossed tile."""
    del photo
    recipe, count = RECIPES[params.preset], len(result.pictures)
    height, width = result.pictures[0].shape[:2]
    dead_one = dead_tile(height, width)
    tiles = np.stack([picture if seen else dead_one for picture, seen in zip(result.pictures, result.gradient_seen, strict=True)])
    ranked = ranking(result.objectives, result.gradient_seen)
    order = np.array(ranked if params.order == "objective" else range(count), np.int32)
    dead = tuple(np.flatnonzero(~result.gradient_seen).tolist())
    facts = FilterAtlasFacts(
        layer=params.layer or "",
        channels=count,
        side=height,
        width=width,
        gap=recipe.gap,
        columns=min(params.columns or 1, count),
        strongest=tuple(channel for channel in ranked[:STRONGEST] if result.gradient_seen[channel]),
        dead_channels=dead,
        reused=result.reused,
    )
    silent = np.count_nonzero(result.gradient_seen & (result.objectives == 0))
    warnings = (f"No gradient ever reached the input for {len(dead)} of {count} channels: these are not drawn.",) if dead else ()
    if silent:
        warnings += (f"{silent} of {count} channels do not respond to their own image. The image shows what leads towards a response.",)
    in_order = numbered(tiles[order], [str(channel) for channel in order]) if params.annotate else tiles[order]
    artifacts = (
        Picture("atlas", grid(in_order, columns=params.columns, gap=recipe.gap, background=recipe.background), primary=True),
        Array("tiles", tiles),
        Array("objectives", result.objectives),
        Array("order", order),
    )
    in_words = "the highest objective first" if params.order == "objective" else "by channel"
    return Output(artifacts, facts, warnings, f"all {count:,} channels, {in_words}")
