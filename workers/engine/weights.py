"""A layer's weights by name."""

from __future__ import annotations

from typing import Any

import numpy as np

from workers.contract.arrays import Float32
from workers.engine.graph import Graph


def weights_of(graph: Graph, path: str) -> dict[str, Float32]:
    """Copies of the layer's variables as float32, in the layer's own order, seeds of random layers and metrics left out.

    Names are the variable's (`kernel`, `gamma`, `moving_mean`), below a composite layer with the way to it (`query/kernel`);
    empty for a layer without weights and for an operation.

    Raises:
        UnknownLayer
    """
    layer = graph.layer_at(path).layer
    variables = list(getattr(layer, "weights", ()))
    names = [_name(layer.name, variable) for variable in variables]
    if len(set(names)) < len(names):
        names = [variable.path for variable in variables]
    return {name: np.array(variable.numpy(), np.float32) for name, variable in zip(names, variables, strict=True)}


def _name(layer: str, variable: Any) -> str:
    """What follows the layer's name in the variable's path: `block/mha/query/kernel` of `mha` is `query/kernel`."""
    before, _, after = f"/{variable.path}".rpartition(f"/{layer}/")
    return after if before or variable.path.startswith(f"{layer}/") else variable.name
