"""Give a model random weights that are the same in every process."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import keras

from workers.engine.keras_internals import RandomInitializer, declare_variables_only, draw_declared, initializer_of


def build_seeded(build: Callable[[], keras.Model], seed: str) -> keras.Model:
    """Return the model that `build` makes. Each random weight has a seed of its own, made from `seed` and the weight's path.

    The weights keep the distributions of their layers' initialisers. Keras itself would seed the initialisers from Python's global
    `random`, from which other threads draw at the same time. In a stateless scope variables are declared but not drawn, so no weight
    is drawn twice (for VGG16 this saves 2 s).
    """
    with declare_variables_only():
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
