"""A layer with some attributes changed, sharing everything else with the layer it stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import keras

from workers.engine.keras_internals import INNER_LAYERS_ATTRIBUTE, inner_layers


def shadow(layer: Any, /, **attributes: Any) -> Any:
    """A stand-in for a built `layer` that is called like it; the layer itself and its variables are left as they are.

    `copy.copy` would not do: a Keras layer pickles itself by saving and loading, with variables of its own. Attributes are
    set without Keras's tracking, so that the layer's tracker, which both share, never hears of them.
    """
    stand_in = object.__new__(type(layer))
    stand_in.__dict__.update(layer.__dict__)
    stand_in.__dict__.update(attributes)
    return stand_in


def shadow_deeply(layer: Any, changes: Callable[[Any], Mapping[str, Any]]) -> Any:
    """`shadow` with what `changes` says of the layer, and the same of every layer that it holds as an attribute (a wrapper's
    layer, a recurrent layer's cell); the layer itself where nothing is changed."""
    attributes = dict(changes(layer))
    held = {name: value for name, value in vars(layer).items() if isinstance(value, keras.Layer) and name not in attributes}
    changed = {name: shadow_deeply(value, changes) for name, value in held.items()}
    attributes |= {name: value for name, value in changed.items() if value is not held[name]}
    if attributes and held:
        in_place = {id(held[name]): value for name, value in changed.items()}
        attributes[INNER_LAYERS_ATTRIBUTE] = [in_place.get(id(inner), inner) for inner in inner_layers(layer)]
    return shadow(layer, **attributes) if attributes else layer
