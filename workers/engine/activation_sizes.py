"""The memory that a model's activations take for one input, reckoned from the graph before anything runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import keras

from schemas.errors import InvalidParameters
from workers.engine.attention_sizes import AttentionSize, attention_size
from workers.engine.graph import Graph
from workers.engine.keras_internals import CONVOLUTION_BASES, nested_model_inputs, producer_of
from workers.engine.topology import GraphStep, TensorValues

BYTES_PER_VALUE = 4  # the engine computes in float32, or in bfloat16, which takes less
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
_Note = Callable[[GraphStep, list[Any], list[Any]], None]
"""Takes a call of the graph with the shapes of its inputs and of its outputs."""


@dataclass(frozen=True)
class ActivationSizes:
    """Sizes in bytes for one input.

    Attributes:
        largest: the size of the largest layer's activations.
        largest_layer: the path of that layer.
        peak: the most that a forward pass holds at a time, if each layer's activations go after the last layer that reads them.
        kept: the size of all activations together, as a pass with the gradient at the input keeps them.
        of_calls: the size of the activations of each call, by its key.
        attention: the attention matrices of each call that attends, by its key. `of_calls` has their bytes too.
    """

    largest: int
    largest_layer: str
    peak: int
    kept: int
    of_calls: Mapping[str, int] = field(default_factory=dict[str, int], compare=False, repr=False)
    attention: Mapping[str, AttentionSize] = field(default_factory=dict[str, AttentionSize], compare=False, repr=False)


def activation_sizes(graph: Graph, input_name: str, size: tuple[int, int]) -> ActivationSizes:
    """Return the sizes of all activations for one image input of `size` (height, width). Nothing is computed and nothing allocated.

    Every call of a shared layer counts. The inner products of attention count with their layer. A batch norm right after a convolution
    does not count, because it is folded into it, and neither does a layer that gives back its input.

    Raises:
        InvalidParameters: the layers cannot process an input of this size.
    """
    sizes, attention = dict[str, int](), dict[str, AttentionSize]()
    steps = [step for step in graph.topology.steps if step.kind == "call"]
    if all(None not in tensor.shape[1:] for step in steps for tensor in step.node.outputs):
        for step in steps:
            _note(step, step.node.input_tensors, step.node.outputs, sizes, attention)
    else:
        _trace_shapes(graph, input_name, size, lambda step, given, outputs: _note(step, given, outputs, sizes, attention))
    channels = graph.topology.inputs[graph.input_names.index(input_name)].shape[-1]
    image = math.prod(size) * (channels or 1) * BYTES_PER_VALUE
    largest = max(sizes, key=lambda key: sizes[key], default=input_name)
    peak, kept = image + _peak(graph, sizes, attention), image + sum(sizes.values())
    if image >= sizes.get(largest, 0):
        return ActivationSizes(image, input_name, peak, kept, sizes, attention)
    return ActivationSizes(sizes[largest], largest.partition("//")[0], peak, kept, sizes, attention)


def kept_from(graph: Graph, sizes: ActivationSizes, layer: str) -> int:
    """Return the size in bytes of what a pass with the gradient at `layer` keeps: the activations that are computed from it."""
    return sum(sizes.of_calls[key] for key in _calls_from(graph, layer))


def peak_with_attention(graph: Graph, sizes: ActivationSizes, layers: Sequence[str]) -> int:
    """Return the most bytes that a forward pass holds at a time if it returns the attention matrices of `layers`."""
    image = sizes.kept - sum(sizes.of_calls.values())
    return image + _peak(graph, sizes.of_calls, sizes.attention, frozenset(_calls_of(graph, layers)))


def kept_for_attention_gradients(graph: Graph, sizes: ActivationSizes, layers: Sequence[str]) -> int:
    """Return the size in bytes of what a pass keeps that returns the attention matrices of `layers` and the gradients by them.

    The first of `layers` comes first in the model.
    """
    returned = set(_calls_of(graph, layers))
    later = set(_calls_from(graph, layers[0]))
    return kept_from(graph, sizes, layers[0]) + sum(_matrices(sizes.attention, key) * (1 if key in later else 2) for key in returned)


def _calls_of(graph: Graph, layers: Sequence[str]) -> list[str]:
    return [step.key for step in graph.topology.steps if step.kind == "call" and step.path in set(layers)]


def _calls_from(graph: Graph, layer: str) -> list[str]:
    """Return the keys of the calls that depend on a layer's output."""
    reached, found = {graph.topology.tensor_at(layer)}, list[str]()
    for step in graph.topology.steps:
        if not reached.isdisjoint(step.reads):
            reached.update(step.writes)
            found += [step.key] if step.kind == "call" else []
    return found


def _matrices(attention: Mapping[str, AttentionSize], key: str) -> int:
    return BYTES_PER_VALUE * attention[key].values if key in attention else 0


def _peak(graph: Graph, sizes: Mapping[str, int], attention: Mapping[str, AttentionSize], returned: frozenset[str] = frozenset()) -> int:
    """Return the largest sum of sizes that live at the same time, when the steps run in their order.

    Attention matrices live while their layer is at work. Those of the calls `returned` live to the end.

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
        matrices = _matrices(attention, step.key)
        live += size
        peak = max(peak, live)
        live -= 0 if step.key in returned else matrices
        size -= matrices
        until = max((last_read.get(ref, len(steps)) for ref in step.writes), default=index)
        ends[until] = ends.get(until, 0) + size
        live -= ends.pop(index, 0)
    return peak


def _trace_shapes(graph: Graph, input_name: str, size: tuple[int, int], note: _Note) -> None:
    """Put shapes through the graph in place of values, and note each call with the shapes of its inputs and outputs."""
    values: TensorValues = [{} for _ in range(graph.topology.scopes)]
    for name, tensor in zip(graph.input_names, graph.topology.inputs, strict=True):
        # Where another input has a free size, the engine gives it that of the image if both have the same number of axes, and else 1.
        free = (1, *size, 1) if name == input_name or len(tensor.shape) == _IMAGE_RANK else (1,) * len(tensor.shape)
        values[0][id(tensor)] = keras.KerasTensor([own or side for own, side in zip(tensor.shape, free, strict=True)], tensor.dtype)
    try:
        for step in graph.topology.steps:
            for (scope, tensor), value in zip(step.writes, _shapes_of(step, values, note), strict=True):
                values[scope][tensor] = value
    except (ValueError, TypeError) as error:
        raise InvalidParameters(
            f"The layers of this model cannot process an input of {size[0]} × {size[1]}: it is too small, or its maps cannot be merged.",
            got=f"{size[0]} × {size[1]}",
        ) from error


def _shapes_of(step: GraphStep, values: TensorValues, note: _Note) -> list[Any]:
    if step.kind == "leave":
        return [values[scope][tensor] for scope, tensor in step.reads]
    args, kwargs = step.arguments(values)
    if step.kind == "enter":
        return keras.tree.flatten(nested_model_inputs(args, kwargs))
    outputs = keras.tree.flatten(step.operation.compute_output_spec(*args, **kwargs))
    given = [leaf for leaf in keras.tree.flatten((args, kwargs)) if isinstance(leaf, keras.KerasTensor)]
    note(step, given, outputs)
    return outputs


def _note(step: GraphStep, inputs: list[Any], outputs: list[Any], sizes: dict[str, int], attention: dict[str, AttentionSize]) -> None:
    """Put the size of a call's outputs in bytes into `sizes`, with its attention matrices, which also go into `attention`."""
    operation, sizes[step.key] = step.operation, 0
    if isinstance(operation, _VIEWS) or _is_folded(operation, step.node.input_tensors):
        return
    values = sum(math.prod(side or 1 for side in tensor.shape[1:]) for tensor in outputs)
    matrices = attention_size(operation, inputs)
    if matrices.values:
        attention[step.key] = matrices
    sizes[step.key] = BYTES_PER_VALUE * (values + matrices.values)


def _is_folded(operation: Any, inputs: list[Any]) -> bool:
    return isinstance(operation, keras.layers.BatchNormalization) and isinstance(producer_of(inputs[0]), CONVOLUTION_BASES)
