"""Give declared variables values that are cheap to make, because the weights of a file replace them."""

from __future__ import annotations

from typing import Any

import keras

from workers.engine.keras_internals import RandomInitializer, draw_declared, initializer_of


def draw_blank(model: keras.Model) -> None:
    """Give a value to every variable of a model that was built in `declare_variables_only`.

    Variables that would be drawn at random become zeros. All others, such as the states of random generators, get their own value.
    """
    variables: list[Any] = model.variables
    for variable in variables:
        initializer = initializer_of(variable)
        draw_declared(variable, keras.initializers.Zeros() if isinstance(initializer, RandomInitializer) else initializer)
