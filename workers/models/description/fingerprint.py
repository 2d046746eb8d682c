"""Compute a model's fingerprint, which changes exactly when the model can give other results."""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

import keras
import numpy as np


def fingerprint(model: keras.Model) -> str:
    """Return the sha256 (hex) of the architecture and of every weight's shape, type and bytes. It is the same in every process.

    The architecture enters as Keras's configuration in canonical JSON. The states of random generators (dropout) and of training are not
    weights, so they do not enter.
    """
    digest = hashlib.sha256(json.dumps(model.get_config(), sort_keys=True, separators=(",", ":"), allow_nan=True).encode())
    for weight in model.weights:
        values = np.ascontiguousarray(weight.value)
        digest.update(f"{values.shape}{values.dtype}".encode())
        digest.update(cast("Any", values.reshape(-1).view(np.uint8)))
    return digest.hexdigest()
