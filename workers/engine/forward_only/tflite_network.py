"""Run a model of a TFLite file with LiteRT, on the processor."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workers.contract.arrays import Float32
from workers.engine.forward_only.network import ForwardNetwork, ImageInput, NetworkInput, NetworkOutput


@dataclass(frozen=True)
class TensorDetails:
    """A tensor of an interpreter: its index, and (scale, zero point) if its integers q stand for the values (q − zero point) · scale."""

    index: int
    dtype: np.dtype[Any]
    quantisation: tuple[float, int] | None

    @classmethod
    def of(cls, details: Mapping[str, Any]) -> TensorDetails:
        """Return what the interpreter tells about a tensor."""
        scale, zero_point = details["quantization"]
        dtype = np.dtype(details["dtype"])
        return cls(int(details["index"]), dtype, (float(scale), int(zero_point)) if scale and dtype.kind in "iu" else None)

    def to_integers(self, values: Float32) -> np.ndarray[Any, Any]:
        """Return values in the tensor's number format; those beyond its range become its limits."""
        if self.quantisation is None:
            return values.astype(self.dtype)
        scale, zero_point = self.quantisation
        limits = np.iinfo(self.dtype)
        return np.clip(np.rint(values / np.float32(scale)) + zero_point, limits.min, limits.max).astype(self.dtype)

    def to_values(self, integers: np.ndarray[Any, Any]) -> Float32:
        """Return the values that the tensor's integers stand for, float32."""
        if self.quantisation is None:
            return integers.astype(np.float32)
        scale, zero_point = self.quantisation
        return (integers.astype(np.float32) - zero_point) * np.float32(scale)


class TfliteNetwork(ForwardNetwork):
    """A network that an interpreter of LiteRT runs. An interpreter holds the arrays of one pass, so passes run one after the other.

    `tensors` gives the tensor of each input and output by name, and `before` the tensor before the activation of an output.
    """

    def __init__(
        self,
        interpreter: Any,
        image: ImageInput,
        inputs: Sequence[NetworkInput],
        outputs: Sequence[NetworkOutput],
        *,
        tensors: Mapping[str, TensorDetails],
        before: Mapping[str, TensorDetails],
        parameters: int,
        content: bytes,
    ) -> None:
        super().__init__(image, inputs, outputs, parameters=parameters, nbytes=len(content), digest=hashlib.sha256(content).hexdigest())
        self._interpreter, self._tensors, self._before = interpreter, tensors, before
        self._shapes: dict[str, tuple[int, ...]] = {}  # those that memory was planned for; copies of this network share them
        self._lock = threading.Lock()

    @property
    def pixel_scale(self) -> tuple[float, float] | None:
        # An int8 input holds the pixel minus 128.
        details = self._tensors[self.image.name]
        if details.quantisation is None or details.dtype.itemsize != 1:
            return None
        scale, zero_point = details.quantisation
        return float(zero_point - np.iinfo(details.dtype).min), 1 / scale

    def to_input_type(self, images: Float32) -> np.ndarray[Any, Any]:
        details = self._tensors[self.image.name]
        if details.quantisation is None and details.dtype.kind in "iu":
            limits = np.iinfo(details.dtype)
            return np.clip(np.rint(images), limits.min, limits.max).astype(details.dtype)
        return details.to_integers(images)

    def to_type_of(self, spec: NetworkInput, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        details = self._tensors[spec.name]
        return super().to_type_of(spec, values if details.quantisation is None else details.to_integers(values.astype(np.float32)))

    def is_quantised(self, spec: NetworkInput) -> bool:
        return self._tensors[spec.name].quantisation is not None

    def pass_through(self, given: Mapping[str, np.ndarray[Any, Any]], outputs: Sequence[tuple[str, bool]]) -> list[Float32]:
        with self._lock:
            self._plan_memory({name: values.shape for name, values in given.items()})
            for name, values in given.items():
                self._interpreter.set_tensor(self._tensors[name].index, values)
            self._interpreter.invoke()
            wanted = [self._before[name] if before else self._tensors[name] for name, before in outputs]
            return [details.to_values(self._interpreter.get_tensor(details.index)) for details in wanted]

    def _plan_memory(self, shapes: dict[str, tuple[int, ...]]) -> None:
        if shapes == self._shapes:
            return
        self._shapes.clear()  # if the interpreter refuses these shapes, it must be asked again
        for name, shape in shapes.items():
            self._interpreter.resize_tensor_input(self._tensors[name].index, shape)
        self._interpreter.allocate_tensors()
        self._shapes.update(shapes)
