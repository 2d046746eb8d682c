"""Score-CAM (Wang et al., arXiv:1910.01279)."""

from __future__ import annotations

from collections.abc import Generator

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from schemas.methods.cam.score_cam import ScoreCam
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.contract.probe import Forward, Probe
from workers.contract.progress import Slice
from workers.methods.cam import cam_pictures, score_weighted_cam
from workers.methods.cam.cam_result import CamResult
from workers.methods.cam.score_weighted_cam import ChannelTrial, TriedLayer
from workers.methods.map_places import over_input

draw = cam_pictures.draw


def varies(activations: Float32[np.ndarray, "h w k"]) -> Bool[np.ndarray, " k"]:
    """Say which channels vary over space. A constant channel gives no mask; the authors' code leaves it out of the softmax, too."""
    return activations.max(axis=(0, 1)) > activations.min(axis=(0, 1))


def masks(activations: Float32[np.ndarray, "h w b"], size: tuple[int, int], place: MapPlace) -> Float32[np.ndarray, "b H W"]:
    """Return a mask for each channel: enlarged to the input's `size` (bilinear, half-pixel centres), then scaled to 0-1.

    `place` says where the channels lie over the input. The mask is 0 if the enlarged channel is constant.
    """
    if place == MapPlace.whole(size):  # all channels at once, which is faster
        enlarged = cv2.resize(activations, size[::-1], interpolation=cv2.INTER_LINEAR).reshape(*size, -1).transpose(2, 0, 1)
    else:
        enlarged = np.stack([over_input(activations[..., channel], place, size) for channel in range(activations.shape[-1])])
    low, high = (extreme(enlarged, axis=(1, 2), keepdims=True) for extreme in (np.min, np.max))
    return np.divide(enlarged - low, high - low, out=np.zeros_like(enlarged), where=high > low)


def weights(scores: Float64[np.ndarray, "b n"], plain: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, "n b"]:
    """Return the softmax over the channels of the masked inputs' scores. The plain input's scores are not used."""
    powers = np.exp(scores - scores.max(axis=0))
    return (powers / powers.sum(axis=0)).T


def forward(layer: TriedLayer, channels: Int64[np.ndarray, " b"]) -> Forward:
    """Compute the scores of the input under each channel's mask."""
    through = masks(np.ascontiguousarray(layer.map[0][..., channels]), layer.tensor.shape[1:3], layer.place)
    return layer.probe.forward(layer.tensor * through[..., None], scores=True, output=layer.output, precision=layer.precision)


TRIAL = ChannelTrial(worth_trying=varies, forward=forward, weights=weights)


def run(probe: Probe, inputs: Inputs, params: ScoreCam) -> Generator[Slice, None, CamResult]:
    """Weigh each channel by the class score of the input under the channel's mask."""
    return (yield from score_weighted_cam.explain(probe, inputs, params, TRIAL))
