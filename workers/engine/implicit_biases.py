"""The biases of layers and operations: what they add to their linear part, J·x with the Jacobian J at the input x."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import tensorflow as tf

from workers.engine.keras_internals import source_package
from workers.engine.relevance.linear_parts import has_weights
from workers.engine.relevance.step_rules import StepRule, step_rule
from workers.engine.relu_rules import is_relu

_RELUS_OF_BOTH_SIDES = frozenset(["LeakyReLU", "LeakyRelu", "PReLU"])
_WITH_A_CONSTANT = frozenset(["Add", "Subtract"])
_CEILINGS = frozenset(["Relu6", "ReLU6"])


def adds_nothing(operation: Any, inputs: int, *, keeps_shape: bool) -> bool:
    """Return whether an operation is known to have no bias: f(a·x) = a·f(x) for every a above 0, so that f(x) is J·x.

    Args:
        operation: what is called.
        inputs: the number of tensors of the graph that it reads. Its other arguments are constants.
        keeps_shape: whether the output has the shape of that input, if it is one.
    """
    if has_weights(operation):
        return operation.bias is None and (operation.activation in (None, keras.activations.linear) or _is_plain_relu(operation.activation))
    names = frozenset(parent.__name__ for parent in type(operation).__mro__ if source_package(parent))
    if _is_plain_relu(operation) or not names.isdisjoint(_RELUS_OF_BOTH_SIDES):
        return True
    rule = step_rule(operation, inputs, keeps_shape=keeps_shape)
    return rule is StepRule.MOVE or (rule is StepRule.SHARE and not (inputs == 1 and not names.isdisjoint(_WITH_A_CONSTANT)))


def implicit_biases(compute: Callable[..., Any], inputs: Sequence[tf.Tensor]) -> list[tf.Tensor]:
    """Return f(x) − J·x for each output of a function f of several tensors x.

    J·x is the derivative, with respect to seeds, of the gradient of Σ seed·f(x): backpropagation twice gives forward differentiation.

    Raises:
        LookupError: an operation has no gradient, or its gradient has none.
    """
    inputs = [tf.identity(x) for x in inputs]  # the same tensor may be given twice
    with tf.GradientTape(watch_accessed_variables=False) as second:
        with tf.GradientTape(watch_accessed_variables=False) as first:
            first.watch(inputs)
            outputs = keras.tree.flatten(compute(*inputs))
        seeds = [tf.zeros_like(output) for output in outputs]
        second.watch(seeds)
        pulled: Any = first.gradient(outputs, inputs, output_gradients=seeds, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    linear: Any = second.gradient(pulled, seeds, output_gradients=inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return [output - part for output, part in zip(outputs, linear, strict=True)]


def _is_plain_relu(operation: Any) -> bool:
    """Return whether this is a ReLU without a ceiling. Above its ceiling a ReLU6 is a constant, which is a bias."""
    if isinstance(operation, keras.layers.Activation):
        return _is_plain_relu(operation.activation)
    if isinstance(operation, keras.layers.ReLU):
        return is_relu(operation) and operation.max_value is None
    ceiling = any(operation is function for function in (keras.activations.relu6, keras.ops.relu6, tf.nn.relu6))
    return is_relu(operation) and not ceiling and type(operation).__name__ not in _CEILINGS
