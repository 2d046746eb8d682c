"""Calling a layer as it behaves in inference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras


def call_for_inference(operation: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any] | None = None) -> Any:
    """Call a layer with `training=False`, also where the model's graph asks for training; call any other function as it is."""
    kwargs = {name: value for name, value in (kwargs or {}).items() if name != "training"}
    if isinstance(operation, keras.Layer):
        kwargs["training"] = False
    return operation(*args, **kwargs)


def first_argument(value: Any, *_: Any, **__: Any) -> Any:
    """Return the first argument; it is called in place of a layer that is left out."""
    return value
