"""The head of a model's output: how many classes it has, where its logits are, and what its values mean if it has no logits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import keras
import tensorflow as tf

from schemas.models import HeadKind
from workers.engine.inference import first_argument
from workers.engine.keras_code import runs_keras_code
from workers.engine.keras_internals import CONVOLUTION_BASES, CastOperation, Sigmoid, Softmax
from workers.engine.layer_copies import copy_layer
from workers.engine.topology import GraphStep, Topology

_SOFTMAX_FUNCTIONS = (keras.activations.softmax, keras.ops.softmax, tf.nn.softmax)
_SIGMOID_FUNCTIONS = (keras.activations.sigmoid, keras.ops.sigmoid, tf.nn.sigmoid)
# These layers do not change their input in inference, so that the activation may come before them.
_PASS_THROUGH = (keras.layers.Identity, keras.layers.Dropout, keras.layers.ActivityRegularization, CastOperation)
_RESHAPES = (keras.layers.Reshape, keras.layers.Flatten)
# The `activation` of these layers is the last thing that they do. In a recurrent layer, for example, it is not.
_ENDS_IN_ACTIVATION = (keras.layers.Dense, keras.layers.EinsumDense, *CONVOLUTION_BASES)
# The logarithm of a probability below this value would be so low that its gradient, 1 / p, could overflow float32.
_LEAST_PROBABILITY = 1e-30
_CLASSES_RANK, _DENSE_RANK = 2, 4  # (N, classes) and (N, h, w, classes)


@dataclass(frozen=True)
class Head:
    """`classes` is the number of classes of an output (N, classes), or None for every other output.

    `dense_classes` is the same for an output with classes at each position, (N, h, w, classes). If such an output has no activation, its
    kind is `none`, because it may be a map of features; its values are read as logits.

    The kind `binary` is one sigmoid unit. It has two classes, 1 for the positive answer and 0 for the negative one, with the logits
    l and -l and the probabilities p and 1 - p.

    `activation_step` is the step that ends in the softmax or sigmoid; it is None if there is none. `gives_probabilities` says that the
    output is probabilities from which no such step can be taken away, for example the mean of two softmaxes.
    """

    kind: HeadKind
    classes: int | None
    activation_step: GraphStep | None = None
    gives_probabilities: bool = False
    dense_classes: int | None = None

    def without_activation(self, override: Mapping[str, Callable[..., Any]]) -> Mapping[str, Callable[..., Any]]:
        """Return `override` (what to call in place of layers) with the activation left out, so that the output is the logits.

        Raises:
            TypeError: `override` replaces the layer that ends in the activation by a function that is not a layer.
        """
        step = self.activation_step
        if step is None:
            return override
        call = override.get(step.key) or override.get(step.path) or step.operation
        if isinstance(call, _ENDS_IN_ACTIVATION):
            call = copy_layer(call, activation=keras.activations.linear)
        elif type(call) is type(step.operation):  # the layer itself or a copy of it
            call = first_argument
        else:
            raise TypeError(f"The activation cannot be left out of {call!r}, which replaces layer '{step.path}'.")
        return {**override, step.key: call}

    def logits(self, values: tf.Tensor) -> tf.Tensor:
        """Return the logits (N, …, classes) of the output's values without its final activation, float32.

        Probabilities p have no logits, so log p is returned for them. The probability of one unit has one: log(p / (1 - p)).
        """
        if self.kind == "log_probabilities":
            return tf.maximum(values, math.log(_LEAST_PROBABILITY))
        logits = values
        if self.gives_probabilities:
            logits = tf.math.log(tf.maximum(values, _LEAST_PROBABILITY))
            if self.kind == "binary":
                logits -= tf.math.log(tf.maximum(1 - values, _LEAST_PROBABILITY))
        return tf.concat([-logits, logits], axis=-1) if self.kind == "binary" else logits

    def probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """Return the probabilities (N, …, classes) of logits (N, …, classes), float32.

        A model whose output is logits gets their softmax, or the sigmoid of a single one. The logarithm of a probability may be a little
        above 0 by rounding; the probability is at most 1.
        """
        if self.kind in ("probabilities", "log_probabilities"):
            return tf.exp(tf.minimum(logits, 0))
        return tf.nn.sigmoid(logits) if self._is_sigmoid else tf.nn.softmax(logits)

    def log_probabilities(self, logits: tf.Tensor) -> tf.Tensor:
        """Return the natural logarithm of `probabilities(logits)`, which is finite also where a probability is 0 in float32."""
        if self.kind in ("probabilities", "log_probabilities"):
            return tf.minimum(logits, 0)
        return tf.math.log_sigmoid(logits) if self._is_sigmoid else tf.nn.log_softmax(logits)

    @property
    def _is_sigmoid(self) -> bool:
        """True if each class has a probability of its own."""
        return self.kind in ("sigmoid", "binary") or (self.kind in ("logits", "none") and 1 in (self.classes, self.dense_classes))


def find_head(topology: Topology, index: int = 0, known: HeadKind | None = None) -> Head:
    """Return the head of the output at `index`.

    The search goes back from the output over layers that do not change their input, up to a softmax or sigmoid. `known` is the kind that
    the model's description gives, which was found from what the output does; it is None if there is no description yet.
    """
    shape = tuple(topology.outputs[index].shape)
    if len(shape) not in (_CLASSES_RANK, _DENSE_RANK) or shape[-1] is None or known in ("embedding", "regression"):
        return Head(known or "none", None)
    kind, step = _final_activation(topology, index)
    if kind == "sigmoid" and shape[-1] == 1:
        kind = "binary"
    if known in ("probabilities", "log_probabilities", "logits", "binary") and known != kind:
        kind, step = known, None
    classes = 2 if kind == "binary" else shape[-1]
    if kind == "logits" and known != "logits" and len(shape) == _DENSE_RANK:
        kind = "none"  # it may be a map of features
    counts = (classes, None) if len(shape) == _CLASSES_RANK else (None, classes)
    gives_probabilities = kind == "probabilities" or (kind == "binary" and step is None)
    return Head(kind, counts[0], step, gives_probabilities, dense_classes=counts[1])


def _final_activation(topology: Topology, index: int) -> tuple[HeadKind, GraphStep | None]:
    """Return the kind that the layers give to an output, and the step that ends in its softmax or sigmoid."""
    tensor = topology.output_tensor(index)
    while (step := topology.writer_of(tensor)) is not None:
        if step.kind == "leave":
            tensor = step.reads[step.writes.index(tensor)]
            continue
        if step.kind == "enter":
            break  # the output of a nested model is one of its inputs
        kind = activation_kind(step)
        if kind is not None:
            return kind, step
        if not _passes_through(step):
            break
        tensor = step.reads[0]
    return "logits", None


def activation_kind(step: GraphStep, *, any_axis: bool = False) -> Literal["softmax", "sigmoid"] | None:
    """Return which activation a step ends in, or None. A softmax counts only if it goes over the last axis, unless `any_axis` is true."""
    operation = step.operation
    if not runs_keras_code(operation):
        return None  # a layer of somebody's own may do anything with its `activation`
    activation: Any = operation.activation if isinstance(operation, (keras.layers.Activation, *_ENDS_IN_ACTIVATION)) else None
    for candidate in (operation, activation):
        if isinstance(candidate, (keras.layers.Softmax, Softmax)):
            return "softmax" if any_axis or _is_last_axis(candidate.axis, step) else None
        if isinstance(candidate, Sigmoid):
            return "sigmoid"
    if any(activation is function for function in _SOFTMAX_FUNCTIONS):
        return "softmax"
    return "sigmoid" if any(activation is function for function in _SIGMOID_FUNCTIONS) else None


def _is_last_axis(axis: Any, step: GraphStep) -> bool:
    return axis in (-1, len(step.node.outputs[0].shape) - 1)


def _passes_through(step: GraphStep) -> bool:
    operation = step.operation
    if isinstance(operation, keras.layers.Activation):
        return operation.activation is keras.activations.linear
    if isinstance(operation, _RESHAPES):
        # A reshape may only drop positions, (N, 1, 1, C) → (N, C): the softmax goes over the channel axis, which must stay.
        return all(size == 1 for size in step.node.input_tensors[0].shape[1:-1])
    return isinstance(operation, _PASS_THROUGH)
