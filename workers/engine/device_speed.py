"""The speed of this process's device, measured once, beside that of the machine on which the cost of models was measured."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import tensorflow as tf

# The work is doubled until a run takes so long. A shorter run measures the start of the work, and a longer one is often interrupted by
# other processes.
SHORTEST_RUN_SECONDS = 0.002
LARGEST_SIDE, LARGEST_COUNT = 8192, 2**27
RUNS = 25  # the fastest counts, since other work on the machine only makes a run slower
# The same measurement on the machine of `cost.py`: two cores without other work.
REFERENCE_PRODUCTS, REFERENCE_VALUES = 6.0e10, 1.0e9
STEP = 4.0  # a factor is a power of this, so that noise does not change the size of passes from one start to the next

Run = Callable[[], tf.Tensor]
"""Work that returns a single number, which is read so that a GPU has finished."""


@dataclass(frozen=True)
class DeviceSpeed:
    """Says how many times as fast as the reference machine a device multiplies, and changes values in memory. Both are powers of 4."""

    products: float
    values: float


@cache
def device_speed() -> DeviceSpeed:
    """Measure the device of this process, which takes about 0.2 s on two cores, and remember the result."""
    return DeviceSpeed(step_of(products_per_second() / REFERENCE_PRODUCTS), step_of(values_per_second() / REFERENCE_VALUES))


def step_of(ratio: float) -> float:
    """Return the power of 4 that is nearest to a ratio, as 1 for 0.6 or 1.9, and 4 for 2.1 or 7."""
    return STEP ** round(math.log(ratio, STEP))


def products_per_second(side: int = 512) -> float:
    """Return how many products of two numbers a multiplication of matrices takes a second. It begins with matrices of `side`²."""
    seconds = fastest(_multiply(side))
    while seconds < SHORTEST_RUN_SECONDS and side < LARGEST_SIDE:
        side *= 2
        seconds = fastest(_multiply(side))
    return side**3 / seconds


def values_per_second(count: int = 2**21) -> float:
    """Return how many values in memory are read, changed and written a second. It begins with `count` values."""
    seconds = fastest(_change(count))
    while seconds < SHORTEST_RUN_SECONDS and count < LARGEST_COUNT:
        count *= 2
        seconds = fastest(_change(count))
    return count / seconds


def fastest(run: Run) -> float:
    """Return the seconds of the fastest of some runs, after one that does not count."""
    run().numpy()
    seconds: list[float] = []
    for _ in range(RUNS):
        started = time.perf_counter()
        run().numpy()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def _multiply(side: int) -> Run:
    matrix = tf.ones((side, side))
    return tf.function(lambda: tf.reduce_sum(tf.matmul(matrix, matrix)), autograph=False)


def _change(count: int) -> Run:
    values = tf.ones(count)
    return tf.function(lambda: tf.reduce_sum(tf.nn.relu(values * 2)), autograph=False)
