"""One small net three times: in Keras, as an ONNX file with the other order of axes, and as a TFLite file. And ONNX files of one's own."""

from __future__ import annotations

import contextlib
import json
import os
import warnings
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import keras
import numpy as np
import onnx
import pytest
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

from schemas.errors import ModelLoadFailed
from tests.workers.models.entries import file_entry
from workers.models.limits import ModelLimits
from workers.models.loading import load_model
from workers.models.reading import network_process, read_network
from workers.models.reading.confined_child import Reading, _answer, _opened, _temporary_file

SIZE = (13, 9)
CLASSES = 5
IMAGES = np.random.default_rng(4).uniform(0, 255, (4, *SIZE, 3)).astype(np.float32)


@cache
def keras_net() -> keras.Model:
    """Return the net in Keras: 13 × 9 pixels 0-255, one convolution, five classes that a softmax ends in. No probability is near 0 or 1."""
    random = np.random.default_rng(8)
    photo = keras.Input((*SIZE, 3), name="photo")
    x = keras.layers.Conv2D(4, (3, 2), activation="relu", name="conv")(photo)
    x = keras.layers.Flatten(name="flat")(x)
    model = keras.Model(photo, keras.layers.Dense(CLASSES, activation="softmax", name="scores")(x))
    for weight in model.weights:
        scale = {4: 0.01, 2: 0.1, 1: 0.2}[len(weight.shape)]
        weight.assign(random.normal(0, scale, weight.shape))
    return model


def onnx_net(*, batch: int | str = "N", last: str | None = "Softmax", size: tuple[int | str, int | str] = SIZE) -> onnx.ModelProto:
    """Return the net in ONNX, as PyTorch would write it: (N, channels, height, width). `last` is its last operator, or None for logits."""
    model = keras_net()
    kernel, bias = model.get_layer("conv").get_weights()
    weights, offsets = model.get_layer("scores").get_weights()
    height, width = SIZE[0] - 2, SIZE[1] - 1
    by_channel = weights.reshape(height, width, 4, CLASSES).transpose(2, 0, 1, 3).reshape(-1, CLASSES)
    options: dict[str, Any] = {} if last == "Sigmoid" else {"axis": 1}
    nodes = [
        helper.make_node("Conv", ["photo", "kernel", "bias"], ["conv"]),
        helper.make_node("Relu", ["conv"], ["relu"]),
        helper.make_node("Flatten", ["relu"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weights", "offsets"], ["scores" if last is None else "logits"]),
        *([] if last is None else [helper.make_node(last, ["logits"], ["scores"], **options)]),
    ]
    constants = {"kernel": kernel.transpose(3, 2, 0, 1), "bias": bias, "weights": by_channel, "offsets": offsets}
    return onnx_model(nodes, constants, {"photo": (batch, 3, *size)}, {"scores": (batch, CLASSES)})


def onnx_model(
    nodes: Sequence[onnx.NodeProto],
    constants: dict[str, np.ndarray],
    inputs: dict[str, Sequence[int | str]],
    outputs: dict[str, Sequence[int | str]],
    *,
    input_type: int = TensorProto.FLOAT,
) -> onnx.ModelProto:
    """Return an ONNX model. A size that is a text is free."""
    graph = helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info(name, input_type, shape) for name, shape in inputs.items()],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.ascontiguousarray(values), name) for name, values in constants.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


@cache
def tflite_net(*, int8: bool = False) -> bytes:
    """Return the net as the content of a TFLite file; with `int8`, its weights, input and output are 8-bit integers."""
    converter = tf.lite.TFLiteConverter.from_keras_model(keras_net())
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: iter([[image[None]] for image in (*IMAGES, 0 * IMAGES[0], 0 * IMAGES[0] + 255)])
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    with quiet():
        return converter.convert()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the converter's words out of the tests' output: what it prints, and that it sees no statistics, which come from the images."""
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Statistics for quantized inputs", UserWarning)
        yield


def saved(model: onnx.ModelProto | bytes, path: Path) -> Path:
    path.write_bytes(model if isinstance(model, bytes) else model.SerializeToString())
    return path


def forward_only_entry(path: Path, **changes: Any) -> Any:
    return file_entry(path, source=path.suffix.removeprefix("."), **changes)


def load(path: Path, *, limits: ModelLimits | None = None, **changes: Any) -> Any:
    """Load a file that this process reads itself, which is quicker than a child process for each file.

    `tests/workers/models/reading/test_read_network.py` reads files in the child process.
    """
    with mock.patch.object(read_network, "read_in_child", _read_here):
        return load_model(forward_only_entry(path, **changes), limits)


def _read_here(_: str, path: Path, limits: ModelLimits, question: dict[str, Any], *, written: int, files: contextlib.ExitStack) -> Reading:
    """Read a file as the child process does, without its confinement."""
    assert written == 1
    source = files.enter_context(_opened(path))
    target = files.enter_context(_temporary_file(path))
    given = network_process.answer({**question, "memory_bytes": limits.load_memory_bytes}, source, target)
    with _temporary_file(path) as answers:
        answers.write(json.dumps(given).encode())
        return Reading(_answer(path, 0, answers, limits), [target])


def assert_refused(path: Path, says: str, *, limits: ModelLimits | None = None, **changes: Any) -> None:
    """Assert that loading fails with a message that matches `says` and names the file, but not its folder."""
    with pytest.raises(ModelLoadFailed, match=says) as failure:
        load(path, limits=limits, **changes)
    assert path.name in failure.value.detail
    assert str(path.parent) not in failure.value.detail
