"""Run a model of an ONNX file with onnxruntime, on the processor."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workers.contract.arrays import Float32
from workers.engine.forward_only.network import ForwardNetwork, ImageInput, NetworkInput, NetworkOutput

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
