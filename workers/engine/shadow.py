"""A layer with some attributes changed, sharing everything else with the layer it stands for."""

from __future__ import annotations

from typing import Any


def shadow(layer: Any, **attributes: Any) -> Any:
    """A stand-in for a built `layer` that is called like it; the layer itself and its variables are left as they are.

    `copy.copy` would not do: a Keras layer pickles itself by saving and loading, with variables of its own. Attributes are
    set without Keras's tracking, so that the layer's tracker, which both share, never hears of them.
    """
    stand_in = object.__new__(type(layer))
    stand_in.__dict__.update(layer.__dict__)
    stand_in.__dict__.update(attributes)
    return stand_in
