"""The formulas of all CAMs that need activations and their gradients alone, by the name of the method."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from workers.methods.cam import element_wise_cam, grad_cam, grad_cam_plus_plus, gradient_weighted_cam, hires_cam, layer_cam, xgrad_cam

WEIGHTS: Mapping[str, gradient_weighted_cam.ChannelWeights] = MappingProxyType(
    {
        "grad_cam": grad_cam.weights,
        "grad_cam_plus_plus": grad_cam_plus_plus.weights,
        "layer_cam": layer_cam.weights,
        "hires_cam": hires_cam.weights,
        "xgrad_cam": xgrad_cam.weights,
    }
)


def formula(method: str, *, eigen_smooth: bool) -> gradient_weighted_cam.MapFormula:
    """Return the formula of a method: one of `WEIGHTS`, or `element_wise_cam`.

    Args:
        method: the name of the method.
        eigen_smooth: take the first principal component of the weighted activations in place of their sum.
    """
    if method == "element_wise_cam":
        return element_wise_cam.formula(eigen_smooth=eigen_smooth)
    return gradient_weighted_cam.weighted_map(WEIGHTS[method], eigen_smooth=eigen_smooth)
