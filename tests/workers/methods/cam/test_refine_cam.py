"""RefineCAM: the product by hand, and whole maps as products of the maps of other methods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering import scaling
from schemas.methods import METHODS
from tests.workers.methods.cam.support import TwoLayers
from tests.workers.methods.support import batch
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.methods import implementation
from workers.methods.cam import cam_maps, refine_cam
from workers.methods.cam.cam_result import CamResult


def run(method: str, tensor: np.ndarray, **params: Any) -> list[CamResult]:
    job = METHODS[method].model_validate(params)
    return implementation(method).run(TwoLayers(), Inputs(tensor), [job] * len(tensor))


def test_the_product_by_hand() -> None:
    fine = np.array([[[0, 1, 2, 4], [4, 2, 0, 1]]], np.float32)
    coarse = np.array([[[2, 1]]], np.float32)
    places = [MapPlace.whole((2, 4))] * 2
    # the coarse map is 1 and .5, enlarged with half-pixel centres to 1, .875, .625, .5 in both rows
    expected = np.array([[0, 0.25, 0.5, 1], [1, 0.5, 0, 0.25]]) * [1, 0.875, 0.625, 0.5]
    np.testing.assert_allclose(cam_maps.fused([fine, coarse], "product", places)[0], expected, rtol=1e-6)
    np.testing.assert_allclose(cam_maps.fused([coarse, fine], "product", places[::-1])[0], expected, rtol=1e-6)


def test_one_layer_without_evidence_makes_everything_cold() -> None:
    some, none = np.ones((1, 2, 3), np.float32) + np.arange(3, dtype=np.float32), np.zeros((1, 2, 3), np.float32)
    assert not cam_maps.fused([some, none], "product", [MapPlace.whole((2, 3))] * 2).any()


@pytest.mark.parametrize("method", ["grad_cam", "grad_cam_plus_plus", "layer_cam", "hires_cam", "xgrad_cam", "element_wise_cam"])
def test_it_is_the_product_of_the_methods_own_maps(method: str) -> None:
    tensor = batch(3)
    refined = run("refine_cam", tensor, layer=["conv", "coarse"], class_index=1, base_method=method)
    alone = {layer: run(method, tensor, layer=layer, class_index=1) for layer in ("conv", "coarse")}
    for row, found in enumerate(refined):
        maps = {layer: alone[layer][row].maps for layer in alone}
        for layer, own in maps.items():
            np.testing.assert_array_equal(found.by_layer[layer], own)
        product = cam_maps.fused(list(maps.values()), "product", [MapPlace.whole((4, 6))] * 2)
        np.testing.assert_array_equal(found.maps, product)
        assert (found.maps[0] <= scaling.heat(maps["conv"][0]) + 1e-6).all()  # no factor is above 1
        assert found.maps.max() > 0


def test_every_class_map_can_be_fused_by_the_product() -> None:
    (one,) = run("layer_cam", batch(1), layer=["conv", "coarse"], class_index=1, fuse="product")
    (other,) = run("refine_cam", batch(1), layer=["conv", "coarse"], class_index=1, base_method="layer_cam")
    np.testing.assert_array_equal(one.maps, other.maps)


def test_jobs_with_other_methods_are_no_batch() -> None:
    params = METHODS["refine_cam"]
    keys = {refine_cam.batch_key(params.model_validate({"layer": "conv", "base_method": name})) for name in ("grad_cam", "layer_cam")}
    assert len(keys) == 2
