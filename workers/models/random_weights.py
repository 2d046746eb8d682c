"""Untrained weights that are the same in every process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import keras

from workers.engine.keras_internals import RandomInitializer, draw_declared, initializer_of


def build_seeded(build: Callable[[], keras.Model], seed: str) -> keras.Model:
    """What `build` makes, each random weight drawn from its layer's own distribution with a seed made of `seed` and its path.

    Keras would seed initialisers from Python's global `random`, which other threads draw from meanwhile. In a stateless
    scope variables are declared and not yet drawn (and a large one is not drawn twice: 2 s for VGG16).
    """
    with keras.StatelessScope(initialize_variables=False):
        model = build()
    variables: list[Any] = model.variables
    for variable in variables:
        initializer = initializer_of(variable)
        if isinstance(initializer, RandomInitializer):
            digest = hashlib.sha256(f"{seed}/{variable.path}".encode()).digest()
            seeded = {**initializer.get_config(), "seed": int.from_bytes(digest[:4], "big") >> 1}
            initializer = type(initializer).from_config(seeded)
        draw_declared(variable, initializer)
    return model
