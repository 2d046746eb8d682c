"""CAMs that take their weights from gradients: layers, classes, variants of the input, and degenerate maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering import scaling
from rendering.overlays.unseen import UNSEEN
from schemas.methods import METHODS
from schemas.methods.cam.activation_params import ActivationCamParams
from schemas.methods.cam.base import CamFacts, CamParams
from schemas.methods.cam.grad_cam import GradCam
from schemas.methods.facts import Prediction
from tests.drawn import drawn
from tests.workers.methods.cam.support import TwoLayers, arrays
from tests.workers.methods.support import FormulaProbe, batch, photo_of
from workers.contract.artifacts import Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.contract.probe import LayerGradients
from workers.methods import implementation
from workers.methods.cam import (
    augmentation,
    cam_maps,
    cam_pictures,
    grad_cam,
    gradient_weighted_cam,
    hires_cam,
)
from workers.methods.cam.cam_result import CamResult

WITHOUT_CLASS = [name for name, params in METHODS.items() if issubclass(params, ActivationCamParams)]
# The probe of these tests has no rules of relevance, so excitation_backprop has tests of its own.
CAMS = [
    name
    for name, params in METHODS.items()
    if issubclass(params, CamParams) and params.card.lane == "fast" and name != "excitation_backprop"
]


def run(method: str, tensor: np.ndarray, probe: FormulaProbe | None = None, **params: Any) -> list[Output]:
    """Run all inputs as one batch, and draw each result."""
    job = METHODS[method].model_validate({"layer": "conv", **params})
    found = implementation(method)
    results = found.run(probe or TwoLayers(), Inputs(tensor), [job] * len(tensor))
    return [found.draw(result, photo_of(), job) for result in results]


@pytest.mark.parametrize("method", CAMS)
def test_several_layers_are_fused_and_each_keeps_its_map(method: str) -> None:
    tensor = batch(3)
    for how in ("mean", "max"):
        together = run(method, tensor, layer=["conv", "coarse"], fuse=how)
        alone = {layer: run(method, tensor, layer=layer) for layer in ("conv", "coarse")}
        for row, output in enumerate(together):
            own = {layer: arrays(alone[layer][row])["map"] for layer in alone}
            np.testing.assert_array_equal(arrays(output)["map.conv"], own["conv"])
            np.testing.assert_array_equal(arrays(output)["map.coarse"], own["coarse"])
            places = [MapPlace.whole((4, 6))] * 2
            np.testing.assert_array_equal(arrays(output)["map"], cam_maps.fused([own["conv"][None], own["coarse"][None]], how, places)[0])
            assert arrays(output)["map"].shape == (4, 6)
            facts = output.facts
            assert isinstance(facts, CamFacts)
            assert (facts.layer, facts.layers) == ("conv", ("conv", "coarse"))


def test_the_map_of_a_nested_layer_has_a_name_without_a_slash() -> None:
    (output,) = run("grad_cam", batch(1), layer=["base/conv", "conv"])
    assert set(arrays(output)) == {"map", "map.base.conv", "map.conv"}


def test_layers_and_classes_together() -> None:
    tensor = batch(2)
    outputs = run("hires_cam", tensor, layer=["coarse", "conv"], class_index=[2, 0])
    for row, output in enumerate(outputs):
        assert {name: array.shape for name, array in arrays(output).items()} == {
            "map": (2, 4, 6),
            "map.coarse": (2, 2, 3),
            "map.conv": (2, 4, 6),
        }
        for at, class_index in enumerate((2, 0)):
            (alone,) = run("hires_cam", tensor[row : row + 1], layer=["coarse", "conv"], class_index=class_index)
            np.testing.assert_array_equal(arrays(output)["map"][at], arrays(alone)["map"])


@pytest.mark.parametrize("method", CAMS)
def test_smoothing_by_augmentation(method: str) -> None:
    """The result equals the mean over variants that are run as inputs of their own, with the class of the plain input."""
    tensor = batch(2)
    smoothed = run(method, tensor, augment=True)
    for row, output in enumerate(smoothed):
        example = tensor[row : row + 1]
        (plain,) = run(method, example)
        maps = []
        for mirrored in (False, True):
            for factor in (0.9, 1.0, 1.1):
                varied = (example[:, :, ::-1] if mirrored else example) * np.float32(factor)
                fixed = {} if method in WITHOUT_CLASS else {"class_index": plain.facts.class_index}
                (alone,) = run(method, np.ascontiguousarray(varied), **fixed)
                values = scaling.heat(arrays(alone)["map"])
                maps.append(values[:, ::-1] if mirrored else values)
        np.testing.assert_allclose(arrays(output)["map"], np.mean(maps, axis=0), rtol=1e-4, atol=1e-5)
        assert output.facts == plain.facts  # the scores are those of the plain input


def test_the_top_class_is_that_of_the_plain_input() -> None:
    """Another class has the highest score at 0.9 of the brightness."""

    class Turning(FormulaProbe):
        def _logits(self, tensor: np.ndarray) -> np.ndarray:
            total = np.abs(tensor).sum(axis=(1, 2, 3))
            return np.stack([total, np.full_like(total, 0.95 * 72), np.zeros_like(total)], axis=1).astype(np.float32)

    tensor = np.ones((1, 4, 6, 3), np.float32)
    assert Turning()._logits(tensor).argmax() == 0
    assert Turning()._logits(tensor * np.float32(0.9)).argmax() == 1
    seen = []

    class Recording(Turning):
        def gradients(self, tensor: np.ndarray, layer: str, class_indices: Any, **given: Any) -> LayerGradients:
            seen.append(class_indices.tolist())
            return super().gradients(tensor, layer, class_indices, **given)

    (output,) = run("grad_cam", tensor, Recording(), augment=True)
    assert seen == [[-1]] + [[0]] * 5
    assert output.facts.class_index == 0


def test_eigen_smoothing() -> None:
    tensor = batch(2)
    probe = FormulaProbe()
    for row, output in enumerate(run("hires_cam", tensor, class_index=1, eigen_smooth=True)):
        weighted = 2 * probe.WEIGHTS[1] * tensor[row : row + 1] ** 2
        np.testing.assert_allclose(arrays(output)["map"], np.maximum(cam_maps.principal(weighted)[0], 0), rtol=1e-4, atol=1e-5)


def test_formulas_share_the_passes_of_the_model() -> None:
    probe, tensor = TwoLayers(), batch(2)
    given = {"layer": ["conv", "coarse"], "class_index": [0, 1]}
    formulas = [gradient_weighted_cam.weighted_map(grad_cam.weights), gradient_weighted_cam.weighted_map(hires_cam.weights)]
    both = gradient_weighted_cam.explain_by_each(probe, Inputs(tensor), [GradCam.model_validate(given)] * 2, formulas)
    assert probe.calls == [4, 4]  # one pass for each layer, with two classes of two inputs
    for method, explanations in zip(("grad_cam", "hires_cam"), both, strict=True):
        alone = implementation(method).run(TwoLayers(), Inputs(tensor), [METHODS[method].model_validate(given)] * 2)
        for one, other in zip(explanations, alone, strict=True):
            assert one.classes == other.classes
            for layer in ("conv", "coarse"):
                np.testing.assert_array_equal(one.by_layer[layer], other.by_layer[layer])


def heatmap(output: Output) -> np.ndarray:
    (picture,) = (artifact for artifact in drawn(output).artifacts if isinstance(artifact, Picture) and artifact.name == "heatmap")
    return picture.image


@pytest.mark.parametrize("method", CAMS)
@pytest.mark.parametrize("options", [{}, {"augment": True}, {"eigen_smooth": True}, {"layer": ["conv", "coarse"]}])
@pytest.mark.parametrize("what", ["dead layer", "constant image", "one position"])
def test_degenerate_inputs_give_zeros_and_a_warning(method: str, options: dict[str, Any], what: str) -> None:
    if method in WITHOUT_CLASS and "eigen_smooth" in options:
        return
    tensor = {
        "dead layer": np.zeros((1, 4, 6, 3), np.float32),
        "constant image": np.full((1, 4, 6, 3), 0.7, np.float32),
        "one position": np.full((1, 1, 1, 3), 0.7, np.float32),
    }[what]
    (output,) = run(method, tensor, colormap="gray", **options)
    assert set(np.unique(heatmap(output))) <= {0, UNSEEN}
    layers = options.get("layer", ["conv"])
    assert len(output.warnings) == len(layers)
    for layer, warning in zip(layers, output.warnings, strict=True):
        assert f"the map at layer '{layer}' is " in warning
        assert warning.endswith("it is drawn as zeros.")
    for array in arrays(output).values():
        assert np.isfinite(array).all()


@pytest.mark.parametrize("method", [name for name in CAMS if name not in WITHOUT_CLASS])
def test_a_class_without_gradient_gives_zeros_and_a_warning(method: str) -> None:
    class Flat(FormulaProbe):
        WEIGHTS = FormulaProbe.WEIGHTS * np.array([[1], [0], [1]], np.float32)

    # the residual softmax of a class has a gradient as long as another class has one
    score = {"score": "logit"} if "score" in METHODS[method].model_fields else {}
    (output,) = run(method, batch(1), Flat(), class_index=1, colormap="gray", **score)
    assert output.warnings == ("goldfish (1): the map at layer 'conv' is zero everywhere; it is drawn as zeros.",)
    assert not heatmap(output).any()


@pytest.mark.parametrize("method", CAMS)
def test_values_that_are_not_finite_give_zeros_and_a_warning(method: str) -> None:
    class Broken(FormulaProbe):
        def _logits(self, tensor: np.ndarray) -> np.ndarray:
            return super()._logits(np.nan_to_num(tensor))

    tensor = batch(2)
    tensor[1, 2, 3, 1] = np.nan
    fine, broken = run(method, tensor, Broken(), colormap="gray", **({} if method in WITHOUT_CLASS else {"class_index": 1}))
    assert fine.warnings == ()
    assert heatmap(fine).any()
    assert len(broken.warnings) == 1
    assert "is not finite" in broken.warnings[0]
    assert not heatmap(broken).any()


def test_the_batch_key_depends_on_what_the_device_computes() -> None:
    for method in CAMS:
        key, base = implementation(method).batch_key, METHODS[method].model_validate({"layer": "conv"})
        assert key(base) == key(base.changed(alpha=0.7, colormap="magma", fuse="max"))
        for change in ({"layer": "other"}, {"layer": ("conv", "other")}, {"augment": True}, {"precision": "bfloat16"}):
            assert key(base) != key(base.changed(**change)), (method, change)
        if method not in WITHOUT_CLASS:
            assert key(base) == key(base.changed(class_index=3))
            for change in ({"eigen_smooth": True},):
                assert key(base) != key(base.changed(**change)), (method, change)


def test_every_variant_is_run_for_every_layer() -> None:
    probe = TwoLayers()
    run("grad_cam", batch(1), probe, layer=["conv", "coarse"], augment=True)
    assert probe.calls == [1] * (2 * len(augmentation.ALL))


def test_a_warning_names_the_degenerate_layer_of_a_fused_map() -> None:
    maps = np.array([[[0, 1, 2]]], np.float32)
    goldfish = Prediction(class_index=1, label="goldfish", logit=2.5, probability=0.5)
    result = CamResult(
        {"conv": maps, "coarse": np.zeros_like(maps)}, dict.fromkeys(("conv", "coarse"), MapPlace.whole((4, 6))), (goldfish,), False
    )
    output = cam_pictures.draw(result, photo_of(), GradCam.model_validate({"layer": ["conv", "coarse"]}))
    assert output.warnings == ("goldfish (1): the map at layer 'coarse' is zero everywhere; it is drawn as zeros.",)
    assert heatmap(output).any()
