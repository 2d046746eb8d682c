"""Tell layers that compute what Keras defines from layers of somebody's own."""

from __future__ import annotations

from typing import Any

from workers.engine.keras_internals import source_package


def runs_keras_code(operation: Any) -> bool:
    """Return whether the `call` of a layer or operation is Keras's own, so that its class and arguments say what it computes.

    A subclass of `Conv2D` that only changes the defaults is True; one that overrides `call` may compute anything and is False.
    """
    return next((source_package(parent) != "" for parent in type(operation).__mro__ if "call" in vars(parent)), False)
