"""Ablation-CAM (Desai and Ramaswamy, WACV 2020)."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from schemas.methods.cam.ablation_cam import AblationCam
from workers.contract.inputs import Inputs
from workers.contract.probe import Forward, Probe
from workers.contract.progress import Slice
from workers.methods.cam import cam_pictures, channel_cam, class_evidence

draw = cam_pictures.draw


def answers(activations: Float32[np.ndarray, "h w k"]) -> Bool[np.ndarray, " k"]:
    """A channel of zeros changes nothing when it is set to zero."""
    return np.any(activations, axis=(0, 1), keepdims=True)[0, 0]


def ablated(activations: Float32[np.ndarray, "1 *place k"], channels: Int64[np.ndarray, " b"]) -> Float32[np.ndarray, "b *place k"]:
    """The layer once for each channel, with that channel zero."""
    layers = np.repeat(activations, len(channels), axis=0)
    layers[np.arange(len(channels)), ..., channels] = 0
    return layers


def weights(scores: Float64[np.ndarray, "b n"], whole: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, "n b"]:
    """(y − y without channel k) / |y|; 0 where y is 0.

    The paper divides by y, which for a negative logit would turn the map around: what speaks for the class would be drawn as
    speaking against it. Where y is positive the two are the same.
    """
    losses = (whole - scores).T
    return np.divide(losses, np.abs(whole)[:, None], out=np.zeros_like(losses), where=whole[:, None] != 0)


def scored(seen: channel_cam.Seen, channels: Int64[np.ndarray, " b"]) -> Forward:
    """Of the input, computed on from the layer without each channel."""
    tensor = np.repeat(seen.tensor, len(channels), axis=0)
    activations = ablated(seen.activations, channels)
    return seen.probe.scores_from(tensor, seen.layer, activations, output=seen.output, precision=seen.precision)


TRIAL = channel_cam.Trial(worth=answers, scored=scored, weights=weights)


def run(probe: Probe, inputs: Inputs, params: AblationCam) -> Generator[Slice, None, class_evidence.Explanation]:
    return (yield from channel_cam.explain(probe, inputs, params, TRIAL))
