"""Deconvnet (Zeiler and Fergus, arXiv:1311.2901, section 2.1).

Max-pooling is undone by its own gradient, which does what the paper's switches do.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from rendering import scaling
from rendering.drawings.maps_on_photo import MapsOnPhoto
from rendering.photo import Photo
from schemas.methods.gradients.deconvnet import Deconvnet, DeconvnetFacts, Projection, check_position
from schemas.models import Preprocessing
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods import token_maps
from workers.methods.batch_sizes import gradient_batches
from workers.methods.gradients import gradient_pictures
from workers.methods.gradients.input_attribution import largest_magnitude
from workers.methods.sheets import smaller_tiles_warning


@dataclass(frozen=True)
class ChannelProjections:
    """The result of one job: n channels projected back to the input.

    Attributes:
        values: for each channel a value for each value of the model's input.
        maps: for each channel one value for each position, as it is drawn.
        projections: which neuron or map was kept of each channel.
        listed: true if the caller gave a list of channels or asked for more than one. Arrays then keep the axis of the channels.
        preprocessing: how the model's input was made from the image.
    """

    values: Float32[np.ndarray, "n H W C"]
    maps: Float32[np.ndarray, "n H W"]
    projections: tuple[Projection, ...]
    listed: bool
    preprocessing: Preprocessing


def strongest(activations: Float32[np.ndarray, "h w k"], count: int) -> list[int]:
    """Return the `count` channels of the largest activations, the largest first.

    Channels with equal largest activations, of which a ReLU6 makes many, follow in the order of their means and then of their indices.
    """
    return np.lexsort((-activations.mean(axis=(0, 1)), -activations.max(axis=(0, 1))))[:count].tolist()


def kept(activations: Float32[np.ndarray, "h w k"], params: Deconvnet, channel: int) -> tuple[Float32[np.ndarray, "h w k"], Projection]:
    """Return the activations with everything set to 0 except one channel's map or one of its neurons.

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
    """Return the batch key: jobs that differ only in what they keep or in their drawing run as one batch."""
    return params.layer, params.rule


def run(probe: Probe, inputs: Inputs, params: Sequence[Deconvnet]) -> list[ChannelProjections]:
    """Return the projections of each job. Each channel of a job is a row of its own.

    Raises:
        ValueError: the parameters are not resolved.
        InvalidParameters: a layer's map has no such position.
    """
    layer, rule = params[0].layer, params[0].rule
    if layer is None:
        raise ValueError("the parameters are not resolved: layer is None")
    answers = probe.forward(inputs.tensor, [layer]).activations[layer]
    activations = token_maps.to_map(answers, probe.description, layer)
    wanted = [
        [kept(own, job, channel) for channel in (job.channels if isinstance(job.channels, tuple) else strongest(own, job.channels))]
        for own, job in zip(activations, params, strict=True)
    ]
    counts = [len(rows) for rows in wanted]
    owners = np.repeat(np.arange(len(params)), counts)
    kept_maps = np.stack([seed for rows in wanted for seed, _ in rows])
    seeds = token_maps.from_map(kept_maps, answers[owners], probe.description, layer)
    values = [
        probe.backproject(inputs.tensor[owners[rows]], layer, seeds[rows], relu_rule=rule)
        for rows in gradient_batches(len(owners), len(params))
    ]
    return [
        ChannelProjections(
            own,
            largest_magnitude(own),
            tuple(projection for _, projection in rows),
            isinstance(job.channels, tuple) or job.channels > 1,
            probe.description.preprocessing,
        )
        for job, rows, own in zip(params, wanted, np.split(np.concatenate(values), np.cumsum(counts)[:-1]), strict=True)
    ]


def draw(result: ChannelProjections, photo: Photo, params: Deconvnet) -> Output:
    """Return the output in colour, a tile for each channel."""
    captions = tuple(caption(projection) for projection in result.projections)
    overlay = MapsOnPhoto(
        photo_size=photo.image.shape[:2],
        placement=photo.placement,
        captions=captions,
        **gradient_pictures.heat_options(params, gradient_pictures.OVERLAY_COLORMAP),
    )
    picture = gradient_pictures.colour_sheet(result.values, result.maps, captions, photo, preprocessing=result.preprocessing, params=params)
    return Output(
        artifacts=gradient_pictures.pictures_and_arrays(overlay, picture, result.values, result.maps, listed=result.listed),
        facts=DeconvnetFacts(layer=params.layer or "", projections=result.projections),
        warnings=(*_empty_map_warnings(result, params), *smaller_tiles_warning("channels", len(result.maps), photo)),
    )


def caption(projection: Projection) -> str:
    """Return the caption of a channel's tile: "channel 3 · (y 1, x 0) · 2.5"."""
    if projection.position is None:
        return f"channel {projection.channel} · up to {projection.value:.3g}"
    y, x = projection.position
    return f"channel {projection.channel} · (y {y}, x {x}) · {projection.value:.3g}"


def _empty_map_warnings(result: ChannelProjections, params: Deconvnet) -> Iterator[str]:
    for projection, values in zip(result.projections, result.maps, strict=True):
        if why := scaling.why_degenerate(values):
            cause = f", because its activation is {projection.value:g}" if projection.value <= 0 else ""
            yield f"Channel {projection.channel} of layer '{params.layer}': the map is {why}{cause}; it is drawn as zeros."
