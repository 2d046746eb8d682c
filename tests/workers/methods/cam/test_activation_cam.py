"""CAMs that look at a layer's activations alone: one forward pass, the top class, and no class to ask for."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.methods import METHODS
from schemas.methods.cam.activation_params import ActivationCamParams
from schemas.methods.cam.eigen_cam import EigenCam
from tests.workers.methods.cam.support import TwoLayers
from tests.workers.methods.support import LABELS, batch
from workers.contract.inputs import Inputs
from workers.methods.cam import cam_maps, eigen_cam

WITHOUT_CLASS = [name for name, params in METHODS.items() if issubclass(params, ActivationCamParams)]


def test_eigen_cam_takes_one_forward_pass_and_names_the_top_class() -> None:
    probe, tensor = TwoLayers(), batch(3)
    params = EigenCam.model_validate({"layer": ["conv", "coarse"]})
    results = eigen_cam.run(probe, Inputs(tensor), [params] * 3)
    assert probe.calls == [3]
    for row, result in enumerate(results):
        np.testing.assert_array_equal(result.by_layer["conv"], cam_maps.principal(tensor[row : row + 1]))
        np.testing.assert_array_equal(result.by_layer["coarse"], cam_maps.principal(tensor[row : row + 1, ::2, ::2]))
        top = int(probe._logits(tensor)[row].argmax())
        assert (result.classes[0].class_index, result.classes[0].label) == (top, LABELS[top])


@pytest.mark.parametrize("method", WITHOUT_CLASS)
def test_maps_of_activations_alone_accept_no_class(method: str) -> None:
    with pytest.raises(ValueError, match="class_index"):
        METHODS[method].model_validate({"class_index": 1})
