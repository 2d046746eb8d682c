"""Ablation-CAM (Desai and Ramaswamy, WACV 2020)."""

from __future__ import annotations

from collections.abc import Generator

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from schemas.methods.cam.ablation_cam import AblationCam
from workers.contract.inputs import Inputs
from workers.contract.probe import Forward, Probe
from workers.contract.progress import Slice
from workers.methods.cam import cam_pictures, score_weighted_cam
from workers.methods.cam.cam_result import CamResult
from workers.methods.cam.score_weighted_cam import ChannelTrial, TriedLayer

draw = cam_pictures.draw


def not_zero(activations: Float32[np.ndarray, "h w k"]) -> Bool[np.ndarray, " k"]:
    """Say which channels are not zero everywhere: setting such a channel to zero would change nothing."""
    return np.any(activations, axis=(0, 1), keepdims=True)[0, 0]


def ablated(activations: Float32[np.ndarray, "1 *place k"], channels: Int64[np.ndarray, " b"]) -> Float32[np.ndarray, "b *place k"]:
    """Return the activations once for each channel, with that channel set to zero."""
    layers = np.repeat(activations, len(channels), axis=0)
    layers[np.arange(len(channels)), ..., channels] = 0
    return layers


def weights(scores: Float64[np.ndarray, "b n"], plain: Float64[np.ndarray, " n"]) -> Float64[np.ndarray, "n b"]:
    """Return (y − y_k) / |y|, where y is the plain input's score and y_k the score without channel k. It is 0 if y is 0.

    The paper divides by y. For a negative logit this would turn the map around: evidence for the class would be drawn as evidence
    against it. For a positive y the two are the same.
    """
    losses = (plain - scores).T
    return np.divide(losses, np.abs(plain)[:, None], out=np.zeros_like(losses), where=plain[:, None] != 0)


def forward(layer: TriedLayer, channels: Int64[np.ndarray, " b"]) -> Forward:
    """Compute the scores from the layer on, once without each channel."""
    tensor = np.repeat(layer.tensor, len(channels), axis=0)
    activations = ablated(layer.activations, channels)
    return layer.probe.scores_from(tensor, layer.path, activations, output=layer.output, precision=layer.precision)


TRIAL = ChannelTrial(worth_trying=not_zero, forward=forward, weights=weights)


def run(probe: Probe, inputs: Inputs, params: AblationCam) -> Generator[Slice, None, CamResult]:
    """Weigh each channel by the share of the class score that is lost without it."""
    return (yield from score_weighted_cam.explain(probe, inputs, params, TRIAL))
