"""Errors of the device and results that are not finite, as errors that a caller can act on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from schemas.errors import InvalidParameters, NonFinite, OutOfMemory
from workers.contract.arrays import Float32


@contextmanager
def as_domain_errors(got: Sequence[int], takes: tf.TensorShape) -> Iterator[None]:
    """Translate the errors that TensorFlow raises inside the context.

    Args:
        got: the shape (N, H, W, …) of the input in use.
        takes: the shape of inputs that the model declares.

    Raises:
        OutOfMemory: the device has no memory for this batch.
        InvalidParameters: the model takes inputs of any size, and its layers cannot process one of this size.
    """
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise OutOfMemory(f"The device has no memory for a batch of {got[0]} inputs of {' × '.join(map(str, got[1:]))}.") from error
    except tf.errors.InvalidArgumentError as error:
        if takes.is_fully_defined() or None not in takes[1:3]:
            raise
        size = " × ".join(map(str, got[1:3]))
        raise InvalidParameters(
            f"The layers of this model cannot process an input of {size}: it is too small, or its maps cannot be merged.",
            got=size,
        ) from error


def check_finite(where: str, arrays: Mapping[str, Float32 | None]) -> None:
    """Check that all values of all arrays are finite; `where` completes the message ("in bfloat16").

    Raises:
        NonFinite: an array holds a NaN or an infinity; the error names the array and, in a batch, the examples.
    """
    for name, array in arrays.items():
        if array is None:
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            total = np.sum(array)  # this is faster than a mask of all values, which is made only if the sum is not finite
        if np.isfinite(total):
            continue
        bad = [index for index, example in enumerate(array) if not np.isfinite(example).all()]
        if bad:
            which = f" (examples {', '.join(map(str, bad))} of {len(array)})" if len(array) > 1 else ""
            raise NonFinite(f"The {name} are not finite {where}{which}.")
