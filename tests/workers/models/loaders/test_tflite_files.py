"""TFLite files give the numbers of LiteRT."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from tests.workers.models.forward_only_files import IMAGES, SIZE, assert_refused, forward_only_entry, keras_net, load, saved, tflite_net
from workers.engine.forward_only.probe import ForwardOnlyProbe
from workers.models.description.describe_forward_only import describe_forward_only


def tflite_probe(path: Path, **changes: Any) -> Any:
    network = load(path, **changes)
    return ForwardOnlyProbe(network, *describe_forward_only(network, forward_only_entry(path, **changes)))


def by_interpreter(content: bytes, images: np.ndarray) -> np.ndarray:
    interpreter = Interpreter(model_content=content, num_threads=1)
    (given,), (got,) = interpreter.get_input_details(), interpreter.get_output_details()
    interpreter.resize_tensor_input(given["index"], images.shape)
    interpreter.allocate_tensors()
    interpreter.set_tensor(given["index"], images)
    interpreter.invoke()
    return interpreter.get_tensor(got["index"])


def test_the_numbers_are_those_of_the_interpreter_and_of_the_same_net_in_keras(tmp_path: Path) -> None:
    probe = tflite_probe(saved(tflite_net(), tmp_path / "net.tflite"))
    net = keras_net()
    for images in (IMAGES, IMAGES[1:3], IMAGES):  # batches of several sizes one after the other
        found = probe.forward(images, scores=True)
        np.testing.assert_allclose(found.probabilities, by_interpreter(tflite_net(), images), atol=1e-6)
        np.testing.assert_allclose(found.probabilities, net(images), atol=1e-5)
        before = keras.Model(net.input, net.get_layer("flat").output)(images).numpy()
        kernel, bias = net.get_layer("scores").get_weights()
        np.testing.assert_allclose(found.logits, before @ kernel + bias, rtol=1e-4, atol=1e-4)
    description = probe.description
    assert (description.input.name, description.input.layout, description.input.height, description.input.width) == ("photo", "nhwc", *SIZE)
    assert (description.forward_only, description.head, description.classes, description.outputs) == (True, "softmax", 5, ("output_0",))


def test_integers_are_the_pixels_unless_the_settings_say_otherwise(tmp_path: Path) -> None:
    """A pixel becomes the value that the same integer stands for, so the interpreter gets the very bytes of the image."""
    probe = tflite_probe(saved(tflite_net(int8=True), tmp_path / "net.tflite"))
    preprocessing = probe.description.preprocessing
    (details,) = Interpreter(model_content=tflite_net(int8=True)).get_input_details()
    scale, zero_point = details["quantization"]
    assert details["dtype"] is np.uint8
    assert (preprocessing.mode, preprocessing.mean) == ("custom", (zero_point,))
    assert preprocessing.std[0] == pytest.approx(1 / scale)
    pixels = np.rint(IMAGES).astype(np.uint8)
    prepared = ((pixels - np.float32(preprocessing.mean[0])) / np.float32(preprocessing.std[0])).astype(np.float32)
    found = probe.forward(prepared, scores=True)
    np.testing.assert_allclose(found.probabilities, by_interpreter(tflite_net(int8=True), pixels) / 256, atol=0.01)
    np.testing.assert_allclose(found.probabilities, keras_net()(pixels.astype(np.float32)), atol=0.05)  # 8 bits have about this error
    assert probe.description.head == "softmax"


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    assert_refused(saved(b"\x1c\x00\x00\x00TFL4" + bytes(99), tmp_path / "net.tflite"), "is not a TFLite file")
    content = tflite_net()
    for length in (40, 200, len(content) // 2, len(content) - 7):
        path = saved(content[:length], tmp_path / "net.tflite")
        assert_refused(path, "damaged|could not be loaded")
