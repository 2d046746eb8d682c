"""How a layer is called when nothing is learnt."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def call_for_inference(operation: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any] | None = None) -> Any:
    """Calls a layer with `training=False`, whatever its graph says, as `model(x, training=False)` does; functions without it."""
    kwargs = {name: value for name, value in (kwargs or {}).items() if name != "training"}
    if "training" in getattr(operation, "_call_context_args", ()):
        kwargs["training"] = False
    return operation(*args, **kwargs)
