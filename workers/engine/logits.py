"""Where a model's class scores are before a final softmax or sigmoid, in whichever form it is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import keras
import tensorflow as tf

from workers.engine.keras_internals import CONVOLUTION_BASES, CastOperation, Sigmoid, Softmax
from workers.engine.shadow import shadow
from workers.engine.unfold import Ref, Step

if TYPE_CHECKING:
    from workers.engine.graph import Graph

HeadKind = Literal["softmax", "sigmoid", "logits", "none"]
SOFTMAX = (keras.activations.softmax, keras.ops.softmax, tf.nn.softmax)
SIGMOID = (keras.activations.sigmoid, keras.ops.sigmoid, tf.nn.sigmoid)
# Inference leaves these as they are, so that an activation may stand before them.
PASSES_THROUGH = (keras.layers.Identity, keras.layers.Dropout, keras.layers.ActivityRegularization, CastOperation)
RESHAPES = (keras.layers.Reshape, keras.layers.Flatten)
# Layers whose `activation` is the last thing they do (of a recurrent layer, say, it is not).
ENDS_IN_ACTIVATION = (keras.layers.Dense, keras.layers.EinsumDense, *CONVOLUTION_BASES)


@dataclass(frozen=True)
class Head:
    """`classes` of an output, None where it is not (N, classes).

    `activated` is the step that ends in the activation; None where there is no activation to leave out.
    """

    kind: HeadKind
    classes: int | None
    activated: Step | None = None

    def without_activation(self, override: Mapping[str, Callable[..., Any]]) -> Mapping[str, Callable[..., Any]]:
        """`override` with the activation left out of what it calls, so that the output is the logits.

        Raises:
            TypeError: the activated layer is overridden by something that is not a layer.
        """
        if self.activated is None:
            return override
        step = self.activated
        call = override.get(step.key) or override.get(step.path) or step.operation
        if isinstance(call, ENDS_IN_ACTIVATION):
            call = shadow(call, activation=keras.activations.linear)
        elif type(call) is type(step.operation):  # the layer itself, or a stand-in of it
            call = _first_argument
        else:
            raise TypeError(f"cannot leave the activation out of {call!r}, which stands for layer '{step.path}'")
        return {**override, step.key: call}

    def probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """(N, classes) from logits (N, classes): as the model's own output; where the model answers logits, softmax of them
        (sigmoid of a single one)."""
        if self.kind == "sigmoid" or (self.kind == "logits" and self.classes == 1):
            return tf.nn.sigmoid(logits)
        return tf.nn.softmax(logits)


def find_head(graph: Graph, index: int = 0) -> Head:
    """Walks back from the output at `index` over layers that only pass values on, to the softmax or sigmoid."""
    output = graph.unfolded.outputs[index]
    shape = tuple(graph.model.outputs[index].shape)
    if len(shape) != 2 or shape[1] is None:
        return Head("none", None)
    classes = shape[1]
    ref: Ref = output
    while (step := graph.writer(ref)) is not None:
        if step.kind == "leave":
            ref = step.reads[step.writes.index(ref)]
            continue
        if step.kind == "enter":
            break  # the output of a nested model is one of its inputs
        kind = _activation_kind(step)
        if kind is not None:
            return Head(kind, classes, step)
        if not _passes_through(step):
            break
        ref = step.reads[0]
    return Head("logits", classes)


def _activation_kind(step: Step) -> Literal["softmax", "sigmoid"] | None:
    operation = step.operation
    activation: Any = operation.activation if isinstance(operation, (keras.layers.Activation, *ENDS_IN_ACTIVATION)) else None
    for candidate in (operation, activation):
        if isinstance(candidate, (keras.layers.Softmax, Softmax)):
            return "softmax" if _over_last_axis(candidate.axis, step) else None
        if isinstance(candidate, Sigmoid):
            return "sigmoid"
    if any(activation is function for function in SOFTMAX):
        return "softmax"
    return "sigmoid" if any(activation is function for function in SIGMOID) else None


def _over_last_axis(axis: Any, step: Step) -> bool:
    return axis in (-1, len(step.node.outputs[0].shape) - 1)


def _passes_through(step: Step) -> bool:
    operation = step.operation
    if isinstance(operation, keras.layers.Activation):
        return operation.activation is keras.activations.linear
    if isinstance(operation, RESHAPES):
        # Only (N, 1, 1, C) → (N, C): the channel axis, over which softmax goes, stays what it is.
        return all(size == 1 for size in step.node.input_tensors[0].shape[1:-1])
    return isinstance(operation, PASSES_THROUGH)


def _first_argument(value: Any, *_: Any, **__: Any) -> Any:
    return value
