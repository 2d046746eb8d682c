"""The number of threads that a runtime may use."""

from __future__ import annotations

import os

import tensorflow as tf


def threads() -> int:
    """Return the number of threads that TensorFlow uses for one operation: the worker's setting, or all cores of this process."""
    return tf.config.threading.get_intra_op_parallelism_threads() or len(os.sched_getaffinity(0))
