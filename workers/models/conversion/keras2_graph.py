"""Correct the graph of a Functional model that Keras 2 stored: which layer reads the output of which call.

A reference is `[name of a layer, number of its call, number of the output]`, and may have further items.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

MODEL_CLASSES = frozenset({"Functional", "Model", "Sequential"})
# These layers add a loss or a metric to the model in training, and return what they are given.
_TRAINING_OUTPUTS = frozenset({"AddLoss", "AddMetric"})


def without_training_outputs(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a Functional model without its `AddLoss` and `AddMetric` layers.

    A layer that reads one of them reads the input of that layer instead.
    """
    dropped = {layer["name"]: layer["inbound_nodes"] for layer in config["layers"] if layer["class_name"] in _TRAINING_OUTPUTS}

    def source(reference: list[Any]) -> list[Any]:
        while reference[0] in dropped:
            reference = [*dropped[reference[0]][reference[1]][0][:3], *reference[3:]]
        return reference

    layers = [layer for layer in config["layers"] if layer["name"] not in dropped]
    return _with_references({**config, "layers": layers}, source) if dropped else dict(config)


def with_counted_calls(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration of a Functional model in which the calls of every nested model count from 0.

    Keras 2 counts the creation of a nested Functional model as its call 0, so the first call in the graph is 1. Keras 3 allows for this
    in the outputs of a model, but not in the inputs of its layers.
    """
    calls = {layer["name"]: len(layer["inbound_nodes"]) for layer in config["layers"] if layer["class_name"] in MODEL_CLASSES}
    read: dict[str, int] = dict.fromkeys(calls, 0)

    def note(reference: list[Any]) -> list[Any]:
        if reference[0] in read:
            read[reference[0]] = max(read[reference[0]], reference[1])
        return reference

    _with_references(config, note)
    from_one = {name for name, highest in read.items() if 0 < calls[name] <= highest}
    functional = {layer["name"] for layer in config["layers"] if layer["class_name"] != "Sequential"}

    def inside(reference: list[Any]) -> list[Any]:
        return [reference[0], reference[1] - 1, *reference[2:]] if reference[0] in from_one else reference

    def at_the_end(reference: list[Any]) -> list[Any]:
        return reference if reference[0] in functional else inside(reference)

    return _with_references(config, inside, at_the_end) if from_one else dict(config)


def _with_references(
    config: Mapping[str, Any], change: Callable[[list[Any]], list[Any]], change_ends: Callable[[list[Any]], list[Any]] | None = None
) -> dict[str, Any]:
    """Apply `change` to each reference to an output in the inputs of layers, and `change_ends` to those in the inputs and outputs of the
    model."""

    def changed(value: Any, by: Callable[[list[Any]], list[Any]]) -> Any:
        if isinstance(value, Mapping):
            return {key: changed(item, by) for key, item in value.items()}
        if not isinstance(value, list):
            return value
        if len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int) and isinstance(value[2], int):
            value = by(value)
        return [changed(item, by) for item in value]

    layers = [{**layer, "inbound_nodes": changed(layer["inbound_nodes"], change)} for layer in config["layers"]]
    ends = {key: changed(config[key], change_ends or change) for key in ("input_layers", "output_layers") if key in config}
    return {**config, "layers": layers, **ends}
