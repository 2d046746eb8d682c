"""Copies of a layer with some attributes replaced, which share everything else with the layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras

from workers.engine.keras_internals import INNER_LAYERS_ATTRIBUTE, inner_layers


def copy_layer(layer: Any, /, **attributes: Any) -> Any:
    """Return a copy of a built layer with these attributes replaced; the layer and its variables stay as they are.

    `copy.copy` cannot be used: a Keras layer is pickled by saving and loading, which makes new variables. The attributes are set
    past Keras's tracking, because the copy shares the tracker with the layer.
    """
    copied = object.__new__(type(layer))
    copied.__dict__.update(layer.__dict__)
    copied.__dict__.update(attributes)
    return copied


def copy_layer_and_inner(layer: Any, changes: Callable[[Any], Mapping[str, Any]]) -> Any:
    """Return a copy of a layer with the attributes replaced that `changes(layer)` returns, or the layer itself if nothing changes.

    The layers that it holds as attributes (the layer inside a wrapper, the cell of a recurrent layer) are copied in the same way.
    """
    attributes = dict(changes(layer))
    held = {name: value for name, value in vars(layer).items() if isinstance(value, keras.Layer) and name not in attributes}
    changed = {name: copy_layer_and_inner(value, changes) for name, value in held.items()}
    attributes |= {name: value for name, value in changed.items() if value is not held[name]}
    if attributes and held:
        replaced = {id(held[name]): value for name, value in changed.items()}
        attributes[INNER_LAYERS_ATTRIBUTE] = [replaced.get(id(inner), inner) for inner in inner_layers(layer)]
    return copy_layer(layer, **attributes) if attributes else layer
