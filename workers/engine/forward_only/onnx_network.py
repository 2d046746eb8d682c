"""Run a model of an ONNX file with onnxruntime, on the processor."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workers.contract.arrays import Float32
from workers.engine.forward_only.network import ForwardNetwork, ImageInput, NetworkInput, NetworkOutput
from workers.engine.forward_only.threads import threads

# The number formats of inputs, by onnxruntime's names.
NUMPY_TYPES: Mapping[str, np.dtype[Any]] = {
    "tensor(float)": np.dtype(np.float32),
    "tensor(float16)": np.dtype(np.float16),
    "tensor(double)": np.dtype(np.float64),
    "tensor(uint8)": np.dtype(np.uint8),
    "tensor(int8)": np.dtype(np.int8),
    "tensor(int32)": np.dtype(np.int32),
    "tensor(int64)": np.dtype(np.int64),
    "tensor(bool)": np.dtype(np.bool_),
}
IMAGE_TYPES = ("tensor(float)", "tensor(float16)", "tensor(double)", "tensor(uint8)")
"""The number formats in which an input can take an image. The pixels 0-255 of a photo fit into these."""


class OnnxNetwork(ForwardNetwork):
    """A network that an onnxruntime session runs.

    `before` gives, for each output with an activation, the name of the tensor before it, which the session can return too.
    """

    def __init__(
        self,
        session: Any,
        image: ImageInput,
        inputs: Sequence[NetworkInput],
        outputs: Sequence[NetworkOutput],
        *,
        before: Mapping[str, str],
        parameters: int,
        content: bytes,
    ) -> None:
        super().__init__(image, inputs, outputs, parameters=parameters, nbytes=len(content), digest=hashlib.sha256(content).hexdigest())
        self._session, self._before = session, before

    def to_input_type(self, images: Float32) -> np.ndarray[Any, Any]:
        dtype = self._input_of_image.dtype
        return np.clip(np.rint(images), 0, 255).astype(dtype) if dtype == np.uint8 else images.astype(dtype)

    def pass_through(self, given: Mapping[str, np.ndarray[Any, Any]], outputs: Sequence[tuple[str, bool]]) -> list[Float32]:
        names = [self._before[name] if before else name for name, before in outputs]
        return [np.asarray(values, np.float32) for values in self._session.run(names, dict(given))]


def open_session(content: bytes) -> Any:
    """Return a session for the bytes of a checked ONNX file. It uses as many threads as one operation of TensorFlow does.

    Raises:
        Exception: onnxruntime cannot run the file; its errors have no class of their own.
    """
    import onnxruntime  # noqa: PLC0415 - the extra `onnx` brings it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = 4  # errors come as exceptions
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # idle threads must not take the time of others
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
