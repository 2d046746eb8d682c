"""Measure how long a pass of a network takes, and choose how many images one pass takes."""

from __future__ import annotations

import math
import time

import numpy as np

from workers.engine.cost import BYTES_PER_VALUE, FORWARD_BYTES, MOST_INPUTS, PASS_SECONDS
from workers.engine.forward_only.network import ForwardNetwork

# The layers of a network are not known, so its largest layer counts as large as that of VGG16 beside its input. A pass holds a layer with
# what it reads and writes, here three times the largest layer, as in `workers.engine.cost`.
LARGEST_LAYER = 21  # 224 · 224 · 64 values after 224 · 224 · 3
_RUNS = 3  # the fastest counts, since other work on the machine only makes a run slower
_STEP = 2.0  # the number is a power of this, so that noise does not change it from one start to the next


def inputs_per_pass(network: ForwardNetwork, size: tuple[int, int]) -> int:
    """Return how many inputs of `size` (height, width) take about `PASS_SECONDS` and fit in memory, 1 to 256, a power of 2."""
    seconds = _seconds_of_one(network, size)
    values = size[0] * size[1] * network.image.channels * LARGEST_LAYER * 3
    most = min(PASS_SECONDS / max(seconds, 1e-9), FORWARD_BYTES / (values * BYTES_PER_VALUE), MOST_INPUTS)
    return int(_STEP ** math.floor(math.log(max(most, 1), _STEP)))


def _seconds_of_one(network: ForwardNetwork, size: tuple[int, int]) -> float:
    """Return the seconds that one input takes, after a run that does not count."""
    image = np.zeros((1, *size, network.image.channels), np.float32)
    asked = [(network.outputs[0].name, False)]
    network.run(image, asked)
    seconds: list[float] = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        network.run(image, asked)
        seconds.append(time.perf_counter() - started)
    return min(seconds)
