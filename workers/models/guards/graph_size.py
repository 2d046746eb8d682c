"""Count what a configuration would build: layers with all their calls, and the tensors that they read.

A few bytes can stand for much work. A model in a model is run again at each of its calls, so ten models, each of which is called ten
times in the next one, stand for ten thousand million calls.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple


class GraphSize(NamedTuple):
    """The number of calls of layers, those inside nested models included, and the number of tensors that all calls together read."""

    calls: int
    reads: int


def graph_size(config: Any, layer_classes: Collection[str]) -> GraphSize:
    """Return the size of the graph that a configuration of Keras 3 or an HDF5 file describes. A layer that is never called counts once.

    Args:
        config: the configuration or a part of it, nested at most as deep as the reading process allows.
        layer_classes: the names of the classes in it that are layers or operations.
    """
    if isinstance(config, list):
        if _is_reference(config):
            return GraphSize(0, 1)
        return _sum(graph_size(item, layer_classes) for item in config)
    if not isinstance(config, Mapping):
        return GraphSize(0, 0)
    inner = _sum(graph_size(value, layer_classes) for value in config.values())
    if config.get("class_name") not in layer_classes:
        return inner
    nodes = config.get("inbound_nodes")
    times = max(1, len(nodes)) if isinstance(nodes, list) else 1
    # The tensors that the calls themselves read are among those inside, so at most they are counted too often.
    return GraphSize(times * (inner.calls + 1), times * inner.reads if inner.calls else inner.reads)


def _is_reference(value: list[Any]) -> bool:
    """Return whether the list names a tensor: `[layer, call, output]`, and in HDF5 files its arguments as a fourth item."""
    return len(value) in (3, 4) and isinstance(value[0], str) and isinstance(value[1], int) and isinstance(value[2], int)


def _sum(sizes: Any) -> GraphSize:
    calls = reads = 0
    for size in sizes:
        calls, reads = calls + size.calls, reads + size.reads
    return GraphSize(calls, reads)
