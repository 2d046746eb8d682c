"""Deconvnet (Zeiler and Fergus, arXiv:1311.2901, section 2.1), max-pooling undone by its own gradient, which is what switches do."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, UInt8

from schemas.methods.gradients.deconvnet import Deconvnet, DeconvnetFacts, Projection, check_position
from schemas.models import Preprocessing
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs, Photo
from workers.contract.probe import Probe
from workers.methods import token_maps
from workers.methods.cam import cam_pictures, class_evidence
from workers.methods.gradients import gradient_attribution, gradient_pictures
from workers.rendering import scaling, text
from workers.rendering.grid import grid


@dataclass(frozen=True)
class Projected:
    """One job's projections at the input, and the maps that are drawn of them. `listed`: more than one was asked for."""

    values: Float32[np.ndarray, "n H W C"]
    maps: Float32[np.ndarray, "n H W"]
    projections: tuple[Projection, ...]
    listed: bool
    preprocessing: Preprocessing


def strongest(activations: Float32[np.ndarray, "h w k"], count: int) -> list[int]:
    """Channels by their largest activation, highest first; of equals (a ReLU6 makes many) by their mean, then the lower index first."""
    return np.lexsort((-activations.mean(axis=(0, 1)), -activations.max(axis=(0, 1))))[:count].tolist()


def kept(activations: Float32[np.ndarray, "h w k"], params: Deconvnet, channel: int) -> tuple[Float32[np.ndarray, "h w k"], Projection]:
    """The activations with all but one channel's map, or one neuron of it, set to 0.

    Raises:
        InvalidParameters: the map has no such position.
    """
    seed, one = np.zeros_like(activations), activations[..., channel]
    if params.keep == "map":
        seed[..., channel] = one
        return seed, Projection(channel=channel, position=None, value=float(one.max()))
    if params.position is not None:
        check_position(params.layer or "", params.position, one.shape)
        y, x = params.position
    else:
        y, x = (int(at) for at in np.unravel_index(one.argmax(), one.shape))
    seed[y, x, channel] = one[y, x]
    return seed, Projection(channel=channel, position=(y, x), value=float(one[y, x]))


def batch_key(params: Deconvnet) -> Hashable:
    """Jobs that differ in what they keep or in their drawing alone run as one batch."""
    return params.layer, params.rule


def run(probe: Probe, inputs: Inputs, params: Sequence[Deconvnet]) -> list[Projected]:
    """One answer for each row of `inputs.tensor`. A job's channels are rows of their own."""
    layer, rule = params[0].layer, params[0].rule
    if layer is None:
        raise ValueError("the parameters are not resolved: layer is None")
    answers = probe.forward(inputs.tensor, [layer]).activations[layer]
    activations = token_maps.as_map(answers, probe.description, layer)
    wanted = [
        [kept(own, job, channel) for channel in (job.channels if isinstance(job.channels, tuple) else strongest(own, job.channels))]
        for own, job in zip(activations, params, strict=True)
    ]
    counts = [len(rows) for rows in wanted]
    owners = np.repeat(np.arange(len(params)), counts)
    kept_maps = np.stack([seed for rows in wanted for seed, _ in rows])
    seeds = token_maps.as_answer(kept_maps, answers[owners], probe.description, layer)
    step = max(class_evidence.ROWS, len(params))
    parts = [slice(start, start + step) for start in range(0, len(owners), step)]
    values = [probe.backproject(inputs.tensor[owners[part]], layer, seeds[part], relu_rule=rule) for part in parts]
    preprocessing = probe.description.preprocessing
    return [
        Projected(
            own,
            gradient_attribution.magnitude(own),
            tuple(told for _, told in rows),
            isinstance(job.channels, tuple) or job.channels > 1,
            preprocessing,
        )
        for job, rows, own in zip(params, wanted, np.split(np.concatenate(values), np.cumsum(counts)[:-1]), strict=True)
    ]


def draw(result: Projected, photo: Photo, params: Deconvnet) -> Output:
    shown = cam_pictures.small_enough(photo, len(result.maps))
    pairs = zip(result.values, result.maps, strict=True)
    drawn = [gradient_pictures.colour(values, flat, shown, result.preprocessing, params) for values, flat in pairs]
    overlay, picture = (_tiled(tiles, result.projections, shown) for tiles in zip(*drawn, strict=True))
    return Output(
        artifacts=(
            Picture("picture", picture, primary=True),
            Picture("overlay", overlay),
            Array("attribution", result.values if result.listed else result.values[0]),
            Array("map", result.maps if result.listed else result.maps[0]),
        ),
        facts=DeconvnetFacts(layer=params.layer or "", projections=result.projections),
        warnings=(*_empty(result, params), *cam_pictures.shrunk(f"{len(result.maps)} channels", shown, photo)),
    )


def named(projection: Projection) -> str:
    if projection.position is None:
        return f"channel {projection.channel} · up to {projection.value:.3g}"
    y, x = projection.position
    return f"channel {projection.channel} · (y {y}, x {x}) · {projection.value:.3g}"


def _tiled(
    tiles: Sequence[UInt8[np.ndarray, "h w 3"]], projections: Sequence[Projection], shown: Photo
) -> UInt8[np.ndarray, "sheet_h sheet_w 3"]:
    if len(tiles) == 1:
        return tiles[0]
    captions = [named(projection) for projection in projections]
    return grid(text.captioned(np.stack(tiles), captions, cam_pictures.caption_size(shown)), gap=4, background=text.PAPER)


def _empty(result: Projected, params: Deconvnet) -> Iterator[str]:
    for projection, values in zip(result.projections, result.maps, strict=True):
        if why := scaling.why_degenerate(values):
            cause = f", as its activation is {projection.value:g}" if projection.value <= 0 else ""
            yield f"Channel {projection.channel} of layer '{params.layer}': the map is {why}{cause}; it is drawn as zeros."
