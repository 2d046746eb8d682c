"""Targets are compared with those of pytorch-grad-cam, on the same networks with the same weights.

One difference is known: FinerWeightedTarget weighs the other classes by their probabilities, and we take their mean. For one other class
the two are the same, except for 1e-9 that the peer adds to the probability by which it divides. So the other class is a probable one here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from rendering.photo import Photo, Placement
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from tests.parity.peers import pytorch_grad_cam, torch
from tests.parity.twins import CLASSES, LAYERS, SIZE, TOLERANCE, channels_first, difference, photos, twins
from tests.workers.models.entries import file_entry
from workers.contract.inputs import Inputs
from workers.engine.probe import KerasProbe
from workers.methods import implementation
from workers.models.description.describe import describe

peer_targets = pytorch_grad_cam.utils.model_targets


def peer_maps(model: torch.nn.Module, layer: torch.nn.Module, targets: list[Any]) -> np.ndarray:
    """Return the peer's Grad-CAM before it is scaled, without its negative values, (n, h, w)."""
    given = channels_first(photos())
    with pytorch_grad_cam.GradCAM(model, [layer]) as peer:
        outputs = peer.outputs = peer.activations_and_grads(given)
        sum(target(row) for target, row in zip(targets, outputs, strict=True)).backward()
        (activations,), (gradients,) = peer.activations_and_grads.activations, peer.activations_and_grads.gradients
        found = peer.get_cam_image(given, layer, targets, activations.numpy(), gradients.numpy(), False)
    return np.maximum(found, 0)


@pytest.mark.parametrize("path", LAYERS)
@pytest.mark.parametrize("alpha", [0.8, 0.6])
def test_the_difference_of_two_classes(path: str, alpha: float) -> None:
    of, other = CLASSES[2], CLASSES[1]
    target = {"difference": {"of": of, "from": [other], "weight": alpha}}
    ours = np.concatenate([found.maps for found in twins().run("grad_cam", photos(), layer=path, target=target, class_index=None)])
    theirs = [peer_targets.FinerWeightedTarget(of, [other], alpha)] * len(photos())
    assert difference(ours, peer_maps(twins().torch, twins().torch.layer(path), theirs)) < TOLERANCE


def test_a_class_in_its_long_form() -> None:
    for index in CLASSES:
        given = {"layer": "conv2", "target": {"class": index}, "class_index": None}
        ours = np.concatenate([found.maps for found in twins().run("grad_cam", photos(), **given)])
        theirs = [peer_targets.ClassifierOutputTarget(index)] * len(photos())
        assert difference(ours, peer_maps(twins().torch, twins().torch.layer("conv2"), theirs)) < TOLERANCE


def segmentation() -> keras.Model:
    layers = keras.layers
    photo = keras.Input((*SIZE, 3), name="photo")
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="first")(photo)
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="second")(x)
    model = keras.Model(photo, layers.Conv2D(4, 1, activation="softmax", name="classes")(x))
    random = np.random.default_rng(7)
    model.set_weights([random.normal(size=weight.shape, scale=0.3).astype(np.float32) for weight in model.get_weights()])
    return model


def in_torch(model: keras.Model) -> torch.nn.Sequential:
    """Return the same network up to the logits."""
    modules: list[torch.nn.Module] = []
    for name, padding in (("first", 1), ("second", 1), ("classes", 0)):
        kernel, bias = model.get_layer(name).get_weights()
        convolution = torch.nn.Conv2d(kernel.shape[2], kernel.shape[3], kernel.shape[0], padding=padding)
        weights = {"weight": torch.from_numpy(kernel).permute(3, 2, 0, 1), "bias": torch.from_numpy(bias)}
        convolution.load_state_dict(weights)
        modules += [convolution] if name == "classes" else [convolution, torch.nn.ReLU()]
    return torch.nn.Sequential(*modules).eval()


@pytest.mark.parametrize(("path", "module"), [("first", 1), ("second", 3)])
def test_a_region_of_a_segmentation(path: str, module: int) -> None:
    model = segmentation()
    probe = KerasProbe(model, describe(model, file_entry(Path("segmentation"))))
    top, left, height, width = 2, 5, 6, 9
    target = {"region": {"class": 2, "where": {"box": [top, left, height, width]}}}
    params = METHODS["grad_cam"].model_validate({"layer": path, "target": target}).resolve(probe.published, MethodLimits())
    photo = Photo(np.zeros((*SIZE, 3), np.uint8), Placement(SIZE, (0, 0, *SIZE), (0, 0, *SIZE)))
    count = len(photos())
    found = implementation("grad_cam").run(probe, Inputs(photos(), photos=(photo,) * count), [params] * count)
    mask = np.zeros(SIZE, np.float32)
    mask[top : top + height, left : left + width] = 1
    twin = in_torch(model)
    theirs = peer_maps(twin, twin[module], [peer_targets.SemanticSegmentationTarget(2, mask)] * count)
    assert difference(np.concatenate([each.maps for each in found]), theirs) < TOLERANCE
