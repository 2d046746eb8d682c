"""Score-CAM (Wang et al., arXiv:1910.01279)."""

from __future__ import annotations

from collections.abc import Generator

import cv2
import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from schemas.methods.cam.score_cam import ScoreCam
from workers.contract.inputs import Inputs
from workers.contract.probe import Forward, Probe
from workers.contract.progress import Slice
from workers.methods.cam import cam_pictures, channel_cam, class_evidence

draw = cam_pictures.draw


def varies(activations: Float32[np.ndarray, "h w k"]) -> Bool[np.ndarray, " k"]:
    """A constant channel has no mask: it is left out of the softmax, as in the authors' code."""
    return activations.max(axis=(0, 1)) > activations.min(axis=(0, 1))


def masks(activations: Float32[np.ndarray, "h w b"], size: tuple[int, int]) -> Float32[np.ndarray, "b H W"]:
    """Each channel enlarged to `size` (bilinear, half-pixel centres), then scaled to 0–1; one that becomes constant is 0."""
    enlarged = cv2.resize(activations, size[::-1], interpolation=cv2.INTER_LINEAR).reshape(*size, -1).transpose(2, 0, 1)
    low, high = (extreme(enlarged, axis=(1, 2), keepdims=True) for extreme in (np.min, np.max))
    return np.divide(enlarged - low, high - low, out=np.zeros_like(enlarged), where=high > low)


def weights(scores: Float64[np.ndarray, "b n"], whole: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, "n b"]:
    """softmax over channels of the masked inputs' scores."""
    powers = np.exp(scores - scores.max(axis=0))
    return (powers / powers.sum(axis=0)).T


def scored(seen: channel_cam.Seen, channels: Int64[np.ndarray, " b"]) -> Forward:
    """Of the input seen through each channel's mask."""
    through = masks(np.ascontiguousarray(seen.map[0][..., channels]), seen.tensor.shape[1:3])
    return seen.probe.forward(seen.tensor * through[..., None], scores=True, output=seen.output, precision=seen.precision)


TRIAL = channel_cam.Trial(worth=varies, scored=scored, weights=weights)


def run(probe: Probe, inputs: Inputs, params: ScoreCam) -> Generator[Slice, None, class_evidence.Explanation]:
    return (yield from channel_cam.explain(probe, inputs, params, TRIAL))
