"""Compute a model's fingerprint, which changes exactly when the model can give other results."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, cast

import keras
import numpy as np

from workers.models.custom_objects import CustomObject


def fingerprint(model: keras.Model, custom_objects: Iterable[CustomObject] = ()) -> str:
    """Return the sha256 (hex) of the architecture and of every weight's shape, type and bytes. It is the same in every process.

    Of the operator's own objects in the model, the names and the source files of their modules enter too. What these modules import
    themselves does not.

    The architecture enters as Keras's configuration in canonical JSON. The states of random generators (dropout) and of training are not
    weights, so they do not enter.
    """
    digest = hashlib.sha256(json.dumps(model.get_config(), sort_keys=True, separators=(",", ":"), allow_nan=True).encode())
    for each in custom_objects:
        digest.update(f"{each.name}{each.code_digest}".encode())
    for weight in model.weights:
        values = np.ascontiguousarray(weight.value)
        digest.update(f"{values.shape}{values.dtype}".encode())
        digest.update(cast("Any", values.reshape(-1).view(np.uint8)))
    return digest.hexdigest()
