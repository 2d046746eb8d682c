"""Read an ONNX or TFLite file, and try it out. A child process does this, not the worker.

The content is changed so that the values before a final softmax or sigmoid are outputs too, and it is run once. A file that needs too
much memory or time, or ends the process, does so here and not in the worker.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from schemas.errors import ModelLoadFailed
from workers.models.limits import ModelLimits

Activation = Literal["softmax", "sigmoid"]
FREE_SIDE = 64  # a free side has so many pixels when a file is tried out
_IMAGE_RANK = 4
_MEMORY_WORDS = ("bad_alloc", "failed to allocate", "out of memory", "bad allocation", "std::length_error")


class NetworkFile(BaseModel):
    """Holds what the worker needs of a file besides its content.

    Attributes:
        outputs: the names of the file's own outputs in ONNX, and the indices of their tensors, as text, in TFLite.
        activations: for each output that ends in a softmax or a sigmoid, which one, and the tensor before it.
        names: in TFLite, the name of each input and output by the index of its tensor, where the file gives it.
        parameters: the number of constant values.
    """

    model_config = ConfigDict(frozen=True)

    outputs: tuple[str, ...]
    activations: dict[str, tuple[Activation, str]]
    names: dict[str, str] = {}
    parameters: int


def trial_inputs(inputs: Iterable[tuple[str, Sequence[Any], Any]], file_name: str, limits: ModelLimits) -> dict[str, np.ndarray[Any, Any]]:
    """Return zeros for each input (name, shape, number type). A size that is free is 1, and `FREE_SIDE` for a side of an image.

    Raises:
        ModelLoadFailed: the inputs together are larger than a layer may be.
    """
    shapes: dict[str, tuple[tuple[int, ...], np.dtype[Any]]] = {}
    total = 0
    for name, declared, kind in inputs:
        shape = tuple(_size(size, axis, len(declared)) for axis, size in enumerate(declared))
        shapes[name] = shape, np.dtype(kind)
        total += math.prod(shape) * max(np.dtype(kind).itemsize, np.dtype(np.float32).itemsize)
    most = limits.activations.largest
    if total > most:
        raise ModelLoadFailed(
            f"'{file_name}' takes inputs of {total} bytes; at most {most} are allowed (CONVSCOPE_MAX_LAYER_ACTIVATION_BYTES).",
            allowed=str(most),
            got=str(total),
        )
    return {name: np.zeros(shape, kind) for name, (shape, kind) in shapes.items()}


def _size(size: Any, axis: int, rank: int) -> int:
    if isinstance(size, int) and size > 0:
        return size
    return FREE_SIDE if rank == _IMAGE_RANK and axis > 0 else 1


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether a runtime's error says that there is no memory. Their errors have no classes of their own."""
    return isinstance(error, MemoryError) or any(word in str(error).lower() for word in _MEMORY_WORDS)


def out_of_memory(file_name: str, limits: ModelLimits) -> ModelLoadFailed:
    """Return the refusal of a file that takes too much memory."""
    return ModelLoadFailed(
        f"'{file_name}' takes more memory for one input than the {limits.load_memory_bytes} bytes that are allowed "
        "(CONVSCOPE_LOAD_MEMORY_BYTES)."
    )


def could_not_be_loaded(file_name: str, error: BaseException) -> ModelLoadFailed:
    """Return the refusal of a file that its runtime cannot open."""
    return ModelLoadFailed(f"'{file_name}' could not be loaded: {type(error).__name__}: {' '.join(str(error).split())[:500]}")


def final_activation(
    tensor: str, writers: Mapping[str, tuple[str, str]], passing: Sequence[str], activations: Mapping[str, Activation]
) -> tuple[Activation, str] | None:
    """Return the softmax or sigmoid that a tensor ends in, and the tensor before it, or None.

    Args:
        tensor: an output.
        writers: for each tensor, the operator that writes it and the first tensor that the operator reads.
        passing: operators that do not change what they read.
        activations: the operators that are a softmax or a sigmoid.
    """
    seen: set[str] = set()
    while tensor in writers and tensor not in seen:
        seen.add(tensor)
        operator, read = writers[tensor]
        if operator in activations:
            return activations[operator], read
        if operator not in passing:
            return None
        tensor = read
    return None
