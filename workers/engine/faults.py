"""What goes wrong on the device, in words a caller can act on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import tensorflow as tf

from schemas.errors import InvalidParameters, NonFinite, OutOfMemory
from workers.contract.arrays import Float32


@contextmanager
def as_domain_errors(got: Sequence[int], takes: tf.TensorShape) -> Iterator[None]:
    """TensorFlow's errors as ours: out of memory, and, where the model takes any size, an input too small for its layers.

    Raises:
        OutOfMemory, InvalidParameters
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
            f"An input of {size} does not go through this model's layers: it is too small, or of a size they cannot join.", got=size
        ) from error


def check_finite(where: str, arrays: Mapping[str, Float32 | None]) -> None:
    """Raises `NonFinite` naming the first of `arrays` that holds a NaN or an infinity, and, of several, the examples in which it does."""
    for name, array in arrays.items():
        if array is None:
            continue
        with np.errstate(over="ignore", invalid="ignore"):
            total = np.sum(array)  # quicker than a mask of all values; where it is not finite they are looked at
        if np.isfinite(total):
            continue
        bad = [index for index, example in enumerate(array) if not np.isfinite(example).all()]
        if bad:
            which = f" (examples {', '.join(map(str, bad))} of {len(array)})" if len(array) > 1 else ""
            raise NonFinite(f"The {name} are not finite {where}{which}.")
