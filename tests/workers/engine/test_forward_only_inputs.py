"""Other inputs of ONNX and TFLite networks: numbers and images by name, and an image input that is explained in place of the photo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from onnx import ModelProto, TensorProto, helper, numpy_helper

from schemas.errors import InvalidParameters
from schemas.models import Preprocessing
from tests.workers.models.forward_only_files import forward_only_entry, load, quiet, saved
from tests.zoo import seeded
from workers.engine.forward_only.probe import ForwardOnlyProbe
from workers.models.description.describe_forward_only import describe_forward_only

PLAIN = Preprocessing()
RANDOM = np.random.default_rng(2)
PHOTOS = RANDOM.uniform(0, 9, (3, 7, 5, 3)).astype(np.float32)
DEPTHS = RANDOM.uniform(0, 9, (3, 7, 5, 1)).astype(np.float32)
NUMBERS, ROW, GAIN = np.array([[2.0, -3.0]], np.float32), np.array([[1]], np.int64), np.array([[0.5, 1.5, 2.5]], np.float32)
WEIGHTS = np.array([[1, 0, -1], [0.5, 2, 1]], np.float32)
TABLE = np.array([[0, 0, 0], [7, 8, 9]], np.float32)


def onnx_net() -> ModelProto:
    """scores = gain · mean of the photo + mean of depth + numbers · weights + a row of the table. `gain` has no axis for the batch."""
    nodes = [
        helper.make_node("ReduceMean", ["photo"], ["colour"], axes=[2, 3], keepdims=0),
        helper.make_node("ReduceMean", ["depth"], ["far"], axes=[2, 3], keepdims=0),
        helper.make_node("MatMul", ["numbers", "weights"], ["weighed"]),
        helper.make_node("Gather", ["table", "row"], ["rows"]),
        helper.make_node("Squeeze", ["rows", "one"], ["chosen"]),
        helper.make_node("Mul", ["colour", "gain"], ["a"]),
        helper.make_node("Sum", ["a", "far", "weighed", "chosen"], ["scores"]),
    ]
    shapes: dict[str, tuple[int, list[Any]]] = {
        "photo": (TensorProto.FLOAT, ["N", 3, 7, 5]),
        "depth": (TensorProto.FLOAT, ["N", 1, 7, 5]),
        "numbers": (TensorProto.FLOAT, ["N", 2]),
        "row": (TensorProto.INT64, ["N", 1]),
        "gain": (TensorProto.FLOAT, [3]),
    }
    constants = {"weights": WEIGHTS, "table": TABLE, "one": np.array([1], np.int64)}
    inputs = [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in shapes.items()]
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 3])]
    graph = helper.make_graph(nodes, "net", inputs, outputs, [numpy_helper.from_array(each, name) for name, each in constants.items()])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def probe_of(path: Path) -> ForwardOnlyProbe:
    network = load(path)
    return ForwardOnlyProbe(network, *describe_forward_only(network, forward_only_entry(path, preprocessing=PLAIN)))


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> ForwardOnlyProbe:
    return probe_of(saved(onnx_net(), tmp_path_factory.mktemp("models") / "net.onnx"))


def scores(probe: ForwardOnlyProbe, images: np.ndarray) -> Any:
    return probe.forward(images, scores=True).logits


def test_the_description_lists_every_input(probe: ForwardOnlyProbe) -> None:
    found = {each.name: (each.shape, each.dtype, each.takes_photos, each.sixteen_bits) for each in probe.description.inputs}
    assert found == {
        "photo": ((7, 5, 3), "float32", True, None),
        "depth": ((7, 5, 1), "float32", True, "kept"),
        "numbers": ((2,), "float32", False, None),
        "row": ((1,), "int64", False, None),
        "gain": ((3,), "float32", False, None),
    }
    assert probe.description.other_inputs == ("depth", "numbers", "row", "gain")


def test_every_image_of_a_batch_gets_the_values(probe: ForwardOnlyProbe) -> None:
    values = {"depth": DEPTHS[:1], "numbers": NUMBERS, "row": ROW, "gain": GAIN}
    colour = PHOTOS.mean(axis=(1, 2))
    expected = colour * GAIN + DEPTHS[0].mean() + NUMBERS @ WEIGHTS + TABLE[1]
    np.testing.assert_allclose(scores(probe.with_inputs("photo", values, PLAIN), PHOTOS), expected, rtol=1e-5)
    some = probe.with_inputs("photo", {"gain": GAIN}, PLAIN)
    np.testing.assert_allclose(scores(some, PHOTOS), colour * GAIN, rtol=1e-5)
    np.testing.assert_allclose(scores(probe, PHOTOS), 0 * colour, atol=1e-6)  # the probe itself has no values


def test_another_image_input_is_explained(probe: ForwardOnlyProbe) -> None:
    seen = probe.with_inputs("depth", {"photo": PHOTOS[1:2], "gain": GAIN}, PLAIN)
    assert (seen.description.input.name, seen.description.input.channels) == ("depth", 1)
    expected = DEPTHS.mean(axis=(1, 2)) + PHOTOS[1].mean(axis=(0, 1)) * GAIN
    np.testing.assert_allclose(scores(seen, DEPTHS), expected, rtol=1e-5)
    assert seen.inputs_per_pass((7, 5)) >= 1
    with pytest.raises(InvalidParameters, match=r"Input 'numbers' .* takes \(2,\), which is no image"):
        probe.with_inputs("numbers", {}, PLAIN)


@pytest.mark.slow
def test_a_tflite_file_gives_what_its_keras_model_gives(tmp_path: Path) -> None:
    """The batches of the two inputs alternate, so that the interpreter plans its memory anew for both."""
    colour, depth, numbers = keras.Input((7, 5, 3), name="colour"), keras.Input((7, 5, 1), name="depth"), keras.Input((2,), name="numbers")
    pooled = [layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(each)) for each in (colour, depth)]
    model = seeded(keras.Model([colour, depth, numbers], layers.Dense(3)(layers.Concatenate()([*pooled, numbers]))))
    with quiet():
        content = tf.lite.TFLiteConverter.from_keras_model(model).convert()
    probe = probe_of(saved(content, tmp_path / "net.tflite"))
    names = [each.name for each in probe.description.inputs]
    assert sorted(names) == ["colour", "depth", "numbers"]
    by_colour = probe.with_inputs("colour", {"depth": DEPTHS[:1], "numbers": NUMBERS}, PLAIN)
    by_depth = probe.with_inputs("depth", {"colour": PHOTOS[:1], "numbers": NUMBERS}, PLAIN)
    for count in (3, 2):
        every = np.repeat(NUMBERS, count, axis=0)
        expected = model([PHOTOS[:count], np.repeat(DEPTHS[:1], count, axis=0), every])
        np.testing.assert_allclose(scores(by_colour, PHOTOS[:count]), expected, rtol=1e-3, atol=1e-4)
        expected = model([np.repeat(PHOTOS[:1], count, axis=0), DEPTHS[:count], every])
        np.testing.assert_allclose(scores(by_depth, DEPTHS[:count]), expected, rtol=1e-3, atol=1e-4)
