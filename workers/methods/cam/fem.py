"""FEM, the feature-based explanation method (Fuad et al., IPTA 2020, doi:10.1109/IPTA50016.2020.9286629)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Bool, Float32

from schemas.methods.cam.fem import Fem
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import activation_cam
from workers.methods.cam.cam_result import CamResult

draw = activation_cam.draw


def strong_places(activations: Float32[np.ndarray, "n h w k"], sigmas: float) -> Bool[np.ndarray, "n h w k"]:
    """Return where each channel is more than `sigmas` standard deviations above its own mean over space."""
    means, deviations = activations.mean(axis=(1, 2), keepdims=True), activations.std(axis=(1, 2), keepdims=True)
    return activations > means + np.float32(sigmas) * deviations


def by_means(activations: Float32[np.ndarray, "n h w k"], sigmas: float) -> Float32[np.ndarray, "n h w"]:
    """Return Σ_k μ_k·1[A_k > μ_k + s·σ_k], the map of the paper. A constant channel counts nowhere."""
    return np.einsum("nk,nhwk->nhw", activations.mean(axis=(1, 2)), strong_places(activations, sigmas).astype(np.float32))


def by_activations(activations: Float32[np.ndarray, "n h w k"], sigmas: float) -> Float32[np.ndarray, "n h w"]:
    """Return relu(Σ_k w_k·A_k), where w_k is the share of the places at which channel k counts, as in the package grad-cam."""
    shares = strong_places(activations, sigmas).mean(axis=(1, 2), dtype=np.float32)
    return np.maximum(np.einsum("nk,nhwk->nhw", shares, activations), 0)


def batch_key(params: Fem) -> Hashable:
    """Return the batch key of a CAM, and the parameters of the formula."""
    return activation_cam.batch_key(params), params.sigmas, params.weighting


def formula_of(params: Fem) -> activation_cam.ActivationFormula:
    """Return the formula with these parameters."""
    weighted = by_means if params.weighting == "means" else by_activations
    return lambda activations: weighted(activations, params.sigmas)


def run(probe: Probe, inputs: Inputs, params: Sequence[Fem]) -> list[CamResult]:
    """Return one result for each job."""
    return activation_cam.explain(probe, inputs, params, formula_of(params[0]))
