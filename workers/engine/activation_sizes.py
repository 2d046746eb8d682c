"""The memory that a model's activations take for one input, reckoned from the graph before anything runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras

from schemas.errors import InvalidParameters
from workers.engine.graph import Graph
from workers.engine.keras_internals import CONVOLUTION_BASES, nested_model_inputs, producer_of
from workers.engine.topology import GraphStep, TensorValues

_BYTES_PER_VALUE = 4  # the engine computes in float32, or in bfloat16, which takes less
# These give back their input, or the same memory with another shape, when a model is not trained.
_VIEWS = (
    keras.layers.InputLayer,
    keras.layers.Flatten,
    keras.layers.Reshape,
    keras.layers.Identity,
    keras.layers.ActivityRegularization,
    keras.layers.Dropout,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
    keras.layers.AlphaDropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
)
_IMAGE_RANK = 4  # (N, H, W, C)
_SINGLE_ATTENTION = (keras.layers.Attention, keras.layers.AdditiveAttention)


@dataclass(frozen=True)
class ActivationSizes:
    """Sizes in bytes for one input.

    Attributes:
        largest: the size of the largest layer's activations.
        largest_layer: the path of that layer.
        peak: the most that a forward pass holds at a time, if each layer's activations go after the last layer that reads them.
        kept: the size of all activations together, as a pass with the gradient at the input keeps them.
        of_calls: the size of the activations of each call, by its key.
    """

    largest: int
    largest_layer: str
    peak: int
    kept: int
    of_calls: Mapping[str, int] = field(default_factory=dict[str, int], compare=False, repr=False)


def activation_sizes(graph: Graph, input_name: str, size: tuple[int, int]) -> ActivationSizes:
    """Return the sizes of all activations for one image input of `size` (height, width). Nothing is computed and nothing allocated.

    Every call of a shared layer counts. The inner products of attention count with their layer. A batch norm right after a convolution
    does not count, because it is folded into it, and neither does a layer that gives back its input.

    Raises:
        InvalidParameters: the layers cannot process an input of this size.
    """
    sizes: dict[str, int] = {}
    steps = [step for step in graph.topology.steps if step.kind == "call"]
    if all(None not in tensor.shape[1:] for step in steps for tensor in step.node.outputs):
        for step in steps:
            sizes[step.key] = _bytes_of(step, step.node.input_tensors, step.node.outputs)
    else:
        _trace_shapes(graph, input_name, size, sizes)
    channels = graph.topology.inputs[graph.input_names.index(input_name)].shape[-1]
    image = math.prod(size) * (channels or 1) * _BYTES_PER_VALUE
    largest = max(sizes, key=lambda key: sizes[key], default=input_name)
    peak, kept = image + _peak(graph, sizes), image + sum(sizes.values())
    if image >= sizes.get(largest, 0):
        return ActivationSizes(image, input_name, peak, kept, sizes)
    return ActivationSizes(sizes[largest], largest.partition("//")[0], peak, kept, sizes)


def kept_from(graph: Graph, sizes: ActivationSizes, layer: str) -> int:
    """Return the size in bytes of what a pass with the gradient at `layer` keeps: the activations that are computed from it."""
    reached = {graph.topology.tensor_at(layer)}
    kept = 0
    for step in graph.topology.steps:
        if not reached.isdisjoint(step.reads):
            reached.update(step.writes)
            kept += sizes.of_calls[step.key] if step.kind == "call" else 0
    return kept


def _peak(graph: Graph, sizes: dict[str, int]) -> int:
    """Return the largest sum of sizes that live at the same time, when the steps run in their order.

    A step that passes tensors on (into a nested model, out of it, or as a view) lets its inputs live for as long as its outputs.
    """
    steps = graph.topology.steps
    last_read = {ref: index for index, step in enumerate(steps) for ref in step.reads}
    for index in range(len(steps) - 1, -1, -1):
        step = steps[index]
        if step.kind != "call" or not sizes[step.key]:
            until = max((last_read.get(ref, index) for ref in step.writes), default=index)
            for ref in step.reads:
                last_read[ref] = max(last_read[ref], until)
    ends: dict[int, int] = {}
    live = peak = 0
    for index, step in enumerate(steps):
        size = sizes[step.key] if step.kind == "call" else 0
        live += size
        peak = max(peak, live)
        until = max((last_read.get(ref, len(steps)) for ref in step.writes), default=index)
        ends[until] = ends.get(until, 0) + size
        live -= ends.pop(index, 0)
    return peak


def _trace_shapes(graph: Graph, input_name: str, size: tuple[int, int], sizes: dict[str, int]) -> None:
    """Put shapes through the graph in place of values, and note the size of each call's outputs."""
    values: TensorValues = [{} for _ in range(graph.topology.scopes)]
    for name, tensor in zip(graph.input_names, graph.topology.inputs, strict=True):
        # Where another input has a free size, the engine gives it that of the image if both have the same number of axes, and else 1.
        free = (1, *size, 1) if name == input_name or len(tensor.shape) == _IMAGE_RANK else (1,) * len(tensor.shape)
        values[0][id(tensor)] = keras.KerasTensor([own or side for own, side in zip(tensor.shape, free, strict=True)], tensor.dtype)
    try:
        for step in graph.topology.steps:
            for (scope, tensor), value in zip(step.writes, _shapes_of(step, values, sizes), strict=True):
                values[scope][tensor] = value
    except (ValueError, TypeError) as error:
        raise InvalidParameters(
            f"The layers of this model cannot process an input of {size[0]} × {size[1]}: it is too small, or its maps cannot be merged.",
            got=f"{size[0]} × {size[1]}",
        ) from error


def _shapes_of(step: GraphStep, values: TensorValues, sizes: dict[str, int]) -> list[Any]:
    if step.kind == "leave":
        return [values[scope][tensor] for scope, tensor in step.reads]
    args, kwargs = step.arguments(values)
    if step.kind == "enter":
        return keras.tree.flatten(nested_model_inputs(args, kwargs))
    outputs = keras.tree.flatten(step.operation.compute_output_spec(*args, **kwargs))
    given = [leaf for leaf in keras.tree.flatten((args, kwargs)) if isinstance(leaf, keras.KerasTensor)]
    sizes[step.key] = _bytes_of(step, given, outputs)
    return outputs


def _bytes_of(step: GraphStep, inputs: list[Any], outputs: list[Any]) -> int:
    operation = step.operation
    if isinstance(operation, _VIEWS) or _is_folded(operation, step.node.input_tensors):
        return 0
    values = sum(math.prod(side or 1 for side in tensor.shape[1:]) for tensor in outputs)
    return _BYTES_PER_VALUE * (values + _attention_values(operation, inputs))


def _is_folded(operation: Any, inputs: list[Any]) -> bool:
    return isinstance(operation, keras.layers.BatchNormalization) and isinstance(producer_of(inputs[0]), CONVOLUTION_BASES)


def _attention_values(operation: Any, inputs: list[Any]) -> int:
    """Return the number of products of queries and keys, which attention holds beside its output."""
    heads = getattr(operation, "num_query_heads", None) or getattr(operation, "num_heads", None)
    if isinstance(operation, _SINGLE_ATTENTION):
        heads = inputs[0].shape[-1] if isinstance(operation, keras.layers.AdditiveAttention) else 1
    if heads is None or not inputs or len(inputs[0].shape) < 3:
        return 0
    queries, keys = (math.prod(side or 1 for side in tensor.shape[1:-1]) for tensor in (inputs[0], inputs[min(1, len(inputs) - 1)]))
    return int(heads) * queries * keys
