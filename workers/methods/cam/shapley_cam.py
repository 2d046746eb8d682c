"""ShapleyCAM (Cai, CAMs as Shapley Value-based Explainers, arXiv:2501.06261)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32
from numpy.typing import NDArray

from schemas.methods.cam.shapley_cam import ShapleyCam
from workers.contract.arrays import Float32 as AnyFloat32
from workers.contract.inputs import Inputs
from workers.contract.probe import LayerGradients, Probe
from workers.methods.cam import cam_pictures, grad_cam, gradient_weighted_cam
from workers.methods.cam.cam_result import CamResult

draw = cam_pictures.draw


def second_order(
    gradients: Float32[np.ndarray, "n *place k"], products: Float32[np.ndarray, "n *place k"]
) -> Float32[np.ndarray, "n *place k"]:
    """Return G − ½·H·A: what each value of a layer adds per unit, by the Taylor polynomial of degree 2 at its activations.

    Args:
        gradients: G, the gradient of the score at the activations A.
        products: H·A, the Hessian of the score times the activations.
    """
    return gradients - products / 2


def batch_key(params: ShapleyCam) -> Hashable:
    """Return the batch key of a CAM, and the score."""
    return gradient_weighted_cam.class_cam_batch_key(params), params.score


def run(probe: Probe, inputs: Inputs, params: Sequence[ShapleyCam]) -> list[CamResult]:
    """Return one result for each job: the map of Grad-CAM, with G − ½·H·A in place of the gradients.

    Raises:
        NoGradient: an operation between a layer and the score has no gradient, or no second one.
        NonFinite: activations, gradients, their products or scores are not finite.
    """
    first = params[0]

    def layer_pass(tensor: AnyFloat32, layer: str, class_indices: NDArray[np.int32]) -> LayerGradients:
        asked = {"score": first.score, "output": first.output, "precision": first.precision}
        found = probe.gradients(tensor, layer, class_indices, products=True, **asked)
        if found.products is None:
            raise ValueError("the pass gave no products of the Hessian")
        return replace(found, gradients=second_order(found.gradients, found.products))

    formula = gradient_weighted_cam.weighted_map(grad_cam.weights, eigen_smooth=first.eigen_smooth)
    return gradient_weighted_cam.explain_by_each(probe, inputs, params, [formula], layer_pass=layer_pass)[0]
