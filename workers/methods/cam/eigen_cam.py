"""EigenCAM (Muhammad and Yeasin, arXiv:2008.00299)."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.methods.cam.eigen_cam import EigenCam
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.cam import activation_cam, cam_maps
from workers.methods.cam.cam_result import CamResult

batch_key = activation_cam.batch_key
draw = activation_cam.draw


def run(probe: Probe, inputs: Inputs, params: Sequence[EigenCam]) -> list[CamResult]:
    """Return one result for each job: the first principal component of each layer's activations, with both signs."""
    return activation_cam.explain(probe, inputs, params, cam_maps.principal)
