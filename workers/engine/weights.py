"""The weights of one layer by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from workers.contract.arrays import Float32
from workers.engine.graph import Graph


def weights_of(graph: Graph, path: str) -> dict[str, Float32]:
    """Return copies of a layer's variables as float32, in the layer's own order, without the seeds of random layers and metrics.

    The names are those of the variables (`kernel`, `gamma`, `moving_mean`); inside a composite layer the name of the inner layer
    comes first (`query/kernel`). The result is empty for an operation and for a layer without weights.

    Raises:
        UnknownLayer: the model has no such layer.
    """
    layer = graph.layer_at(path).layer
    variables = list(getattr(layer, "weights", ()))
    names = [_name_in(layer.name, variable) for variable in variables]
    if len(set(names)) < len(names):
        names = [variable.path for variable in variables]
    return {name: np.array(variable.numpy(), np.float32) for name, variable in zip(names, variables, strict=True)}


def _name_in(layer: str, variable: Any) -> str:
    """Return the part of a variable's path after the layer's name: for `mha`, `block/mha/query/kernel` gives `query/kernel`."""
    before, _, after = f"/{variable.path}".rpartition(f"/{layer}/")
    return after if before or variable.path.startswith(f"{layer}/") else variable.name
