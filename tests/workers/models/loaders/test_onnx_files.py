"""ONNX files give the numbers of onnxruntime, in the order of axes of the service."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from schemas.errors import ModelLoadFailed
from schemas.models import Preprocessing
from tests.workers.models.forward_only_files import (
    IMAGES,
    SIZE,
    assert_refused,
    forward_only_entry,
    keras_net,
    load,
    onnx_model,
    onnx_net,
    saved,
)
from workers.contract.scores import Readout
from workers.engine.forward_only.probe import ForwardOnlyProbe
from workers.models.description.describe_forward_only import describe_forward_only

Logit = Callable[[Any, Any], Any]


def probe_of(path: Path, **changes: Any) -> Any:
    entry = forward_only_entry(path, **changes)
    network = load(path, **changes)
    return ForwardOnlyProbe(network, *describe_forward_only(network, entry))


def by_onnxruntime(path: Path, images: np.ndarray) -> Any:
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    return session.run(None, {"photo": images.transpose(0, 3, 1, 2)})[0]


@pytest.mark.parametrize("batch", ["N", 1, 3])
def test_the_numbers_are_those_of_onnxruntime_and_of_the_same_net_in_keras(tmp_path: Path, batch: int | str) -> None:
    """With a fixed batch, the last pass is filled with zeros, which must not show."""
    path = saved(onnx_net(batch=batch), tmp_path / "net.onnx")
    probe = probe_of(path)
    found = probe.forward(IMAGES, scores=True)
    assert found.probabilities is not None
    assert found.logits is not None
    alone = saved(onnx_net(), tmp_path / "free.onnx")
    np.testing.assert_allclose(found.probabilities, by_onnxruntime(alone, IMAGES), atol=1e-6)
    net = keras_net()
    np.testing.assert_allclose(found.probabilities, net(IMAGES), atol=1e-5)
    before = keras.Model(net.input, net.get_layer("flat").output)(IMAGES).numpy()
    kernel, bias = net.get_layer("scores").get_weights()
    np.testing.assert_allclose(found.logits, before @ kernel + bias, rtol=1e-4, atol=1e-4)
    description = probe.description
    assert (description.forward_only, description.layers, description.head, description.classes) == (True, (), "softmax", 5)
    assert (description.input.layout, description.input.height, description.input.width) == ("nchw", *SIZE)
    assert description.parameters == 24 * 3 + 4 + 4 * 11 * 8 * 5 + 5


@pytest.mark.parametrize(
    ("last", "head", "logit"),
    [
        (None, "logits", lambda z, y: z),
        ("Sigmoid", "sigmoid", lambda z, y: z),
        ("LogSoftmax", "log_probabilities", lambda z, y: y),
    ],
)
def test_what_the_outputs_are_follows_from_the_file_and_from_what_they_do(
    tmp_path: Path, last: str | None, head: str, logit: Logit
) -> None:
    probe = probe_of(saved(onnx_net(last=last), tmp_path / "net.onnx"))
    z = probe_of(saved(onnx_net(last=None), tmp_path / "logits.onnx")).forward(IMAGES, scores=True).logits
    y = by_onnxruntime(tmp_path / "net.onnx", IMAGES)
    found = probe.forward(IMAGES, scores=True)
    assert probe.description.head == head
    np.testing.assert_allclose(found.logits, logit(z, y), rtol=1e-4, atol=1e-4)
    expected = 1 / (1 + np.exp(-z)) if head == "sigmoid" else np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)


def test_the_settings_decide_what_the_first_output_is(tmp_path: Path) -> None:
    """If the head is said to be `probabilities`, the logits are log p, although the file ends in a softmax."""
    path = saved(onnx_net(), tmp_path / "net.onnx")
    found = probe_of(path, head="probabilities").forward(IMAGES, scores=True)
    np.testing.assert_allclose(found.logits, np.log(by_onnxruntime(path, IMAGES)), rtol=1e-4, atol=1e-4)


def test_a_dense_output_has_its_classes_last(tmp_path: Path) -> None:
    """A 1×1 convolution and a softmax over the channels: (N, 2, 13, 9) in the file, (N, 13, 9, 2) here. Sizes are free."""
    kernel = np.array([[[[0.01]], [[0.02]], [[0.0]]], [[[0.0]], [[0.01]], [[-0.03]]]], np.float32)
    nodes = [helper.make_node("Conv", ["photo", "kernel"], ["z"]), helper.make_node("Softmax", ["z"], ["y"], axis=1)]
    model = onnx_model(nodes, {"kernel": kernel}, {"photo": ("N", 3, "H", "W")}, {"y": ("N", 2, "H", "W")})
    probe = probe_of(saved(model, tmp_path / "dense.onnx"))
    head = probe.description.head_at(None)
    assert (head.kind, head.dense_classes, head.shape, head.head) == ("dense_classes", 2, (None, None, 2), "softmax")
    assert (probe.description.input.height, probe.description.input.width) == (None, None)
    logits = probe.values(IMAGES, Readout("logits"))
    np.testing.assert_allclose(logits, IMAGES @ kernel[:, :, 0, 0].T, rtol=1e-4, atol=1e-4)
    probabilities = probe.values(IMAGES, Readout("output"))
    np.testing.assert_allclose(probabilities.sum(axis=3), 1, atol=1e-5)


def test_a_softmax_over_another_axis_than_the_classes_is_no_softmax_of_classes(tmp_path: Path) -> None:
    nodes = [helper.make_node("ReduceMean", ["photo"], ["m"], axes=[2, 3], keepdims=0), helper.make_node("Softmax", ["m"], ["y"], axis=0)]
    probe = probe_of(saved(onnx_model(nodes, {}, {"photo": ("N", 3, 7, 5)}, {"y": ("N", 3)}), tmp_path / "net.onnx"))
    assert probe.description.head == "logits"
    images = IMAGES[:, :7, :5]
    found = probe.forward(images, scores=True)
    np.testing.assert_allclose(found.logits, 1, atol=1e-6)  # each image is alone in its batch, because the batch changes the numbers


def test_a_batch_that_is_fixed_inside_the_graph_is_run_one_by_one(tmp_path: Path) -> None:
    """The batch axis is declared free, but a reshape makes one row of whatever comes."""
    nodes = [helper.make_node("ReduceMean", ["photo"], ["m"], axes=[2, 3], keepdims=0), helper.make_node("Reshape", ["m", "shape"], ["y"])]
    model = onnx_model(nodes, {"shape": np.array([1, -1])}, {"photo": ("N", 3, 7, 5)}, {"y": ("N", 3)})
    images = IMAGES[:, :7, :5]
    found = probe_of(saved(model, tmp_path / "net.onnx")).forward(images, scores=True)
    np.testing.assert_allclose(found.logits, images.mean(axis=(1, 2)), rtol=1e-5)


def test_the_axes_are_given_by_the_settings_where_they_can_be_read_in_two_ways(tmp_path: Path) -> None:
    nodes = [helper.make_node("ReduceMean", ["photo"], ["y"], axes=[2, 3], keepdims=0)]
    path = saved(onnx_model(nodes, {}, {"photo": ("N", 3, 7, 3)}, {"y": ("N", 3)}), tmp_path / "net.onnx")
    assert_refused(path, r'shape \(any, 3, 7, 3\), which can be .* layout = "nchw" or layout = "nhwc"')
    image = IMAGES[:1, :7, :3]
    found = probe_of(path, layout="nchw").forward(image, scores=True)
    np.testing.assert_allclose(found.logits, image.mean(axis=(1, 2)), rtol=1e-5)
    other = probe_of(path, layout="nhwc")  # (N, height 3, width 7, channels 3)
    assert (other.description.input.height, other.description.input.width) == (3, 7)
    turned = IMAGES[:1, :3, :7]
    np.testing.assert_allclose(other.forward(turned, scores=True).logits, turned.mean(axis=(2, 3)), rtol=1e-5)


def test_other_inputs_get_zeros_and_bytes_are_rounded(tmp_path: Path) -> None:
    """The second input is added to the mean of the photo's bytes. 100.4 becomes 100, 300 becomes 255, -4 becomes 0."""
    nodes = [
        helper.make_node("Cast", ["photo"], ["x"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["x"], ["m"], axes=[2, 3], keepdims=0),
        helper.make_node("Cast", ["more"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["m", "f"], ["y"]),
    ]
    model = onnx_model(nodes, {}, {"photo": ("N", 1, 2, 3), "more": ("N", 2)}, {"y": ("N", 2)}, input_type=TensorProto.UINT8)
    probe = probe_of(saved(model, tmp_path / "net.onnx"), layout="nchw")
    assert probe.description.other_inputs == ("more",)
    image = np.array([[[100.4, 300, -4], [1, 1, 1]]], np.float32)[..., None]
    np.testing.assert_allclose(probe.forward(image, scores=True).logits, [[358 / 6] * 2], rtol=1e-5)
    exact = probe.with_inputs("photo", {}, Preprocessing.named("tf"))  # a job that gives an array in place of the photo
    assert exact.description.preprocessing.mode == "tf"
    np.testing.assert_array_equal(exact.forward(image, scores=True).logits, probe.forward(image, scores=True).logits)
    given = probe.with_inputs("photo", {"more": np.array([[3, 40]], np.uint8)}, Preprocessing())
    np.testing.assert_allclose(given.forward(image, scores=True).logits, [[358 / 6 + 3, 358 / 6 + 40]], rtol=1e-5)


def test_preprocessing_comes_before(tmp_path: Path) -> None:
    """The description says what the settings say; the probe is given what was prepared."""
    probe = probe_of(saved(onnx_net(), tmp_path / "net.onnx"), preprocessing=Preprocessing.named("torch"))
    assert probe.description.preprocessing.mode == "torch"


@pytest.mark.parametrize(
    ("shape", "says"),
    [
        (("N", 4, 7, 5), r"shape \(any, 4, 7, 5\), but an image gives"),
        (("N", "C", 7, 5), "number of channels must be fixed"),
        ((3, 7, 5), r"shape \(3, 7, 5\), but an image gives"),
    ],
)
def test_an_input_that_takes_no_image_is_refused(tmp_path: Path, shape: tuple[int | str, ...], says: str) -> None:
    nodes = [helper.make_node("Identity", ["photo"], ["y"])]
    assert_refused(saved(onnx_model(nodes, {}, {"photo": shape}, {"y": shape}), tmp_path / "net.onnx"), says)


def test_settings_that_do_not_suit_the_file_are_refused(tmp_path: Path) -> None:
    path = saved(onnx_net(), tmp_path / "net.onnx")
    assert_refused(path, "takes 13 × 9 pixels, but its settings say 9 × 13", input_size=(9, 13))
    assert_refused(path, "name the input 'foto', but its inputs are: photo", input="foto")


def test_without_the_packages_the_command_that_installs_them_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(onnx_net(), tmp_path / "net.onnx")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "onnxruntime" else find(name))
    with pytest.raises(ModelLoadFailed, match=r"net\.onnx needs onnxruntime, .*`pip install 'convscope\[onnx\]'`"):
        load(path)
