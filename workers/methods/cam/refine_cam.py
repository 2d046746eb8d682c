"""RefineCAM (Domeniconi et al., How to Evaluate and Refine your CAM, arXiv:2605.14641)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from schemas.methods.cam.refine_cam import RefineCam
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import cam_pictures, gradient_formulas, gradient_weighted_cam
from workers.methods.cam.cam_result import CamResult

draw = cam_pictures.draw


def batch_key(params: RefineCam) -> Hashable:
    """Return the batch key of a CAM, and the method whose maps are multiplied."""
    return gradient_weighted_cam.class_cam_batch_key(params), params.base_method


def run(probe: Probe, inputs: Inputs, params: Sequence[RefineCam]) -> list[CamResult]:
    """Return one result for each job: the maps of each layer by the method named. `CamResult` makes their product."""
    formula = gradient_formulas.formula(params[0].base_method, eigen_smooth=params[0].eigen_smooth)
    return gradient_weighted_cam.explain_by_each(probe, inputs, params, [formula])[0]
