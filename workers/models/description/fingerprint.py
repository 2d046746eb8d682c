"""A model's fingerprint: what its results depend on, and nothing that differs from one process to the next."""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

import keras
import numpy as np


def fingerprint(model: keras.Model) -> str:
    """sha256 (hex) of the architecture (Keras's configuration as canonical JSON) and every weight's shape, type and bytes.

    States of random generators (dropout) and of training are not weights and do not enter.
    """
    digest = hashlib.sha256(json.dumps(model.get_config(), sort_keys=True, separators=(",", ":"), allow_nan=True).encode())
    for weight in model.weights:
        values = np.ascontiguousarray(weight.value)
        digest.update(f"{values.shape}{values.dtype}".encode())
        digest.update(cast("Any", values.reshape(-1).view(np.uint8)))
    return digest.hexdigest()
