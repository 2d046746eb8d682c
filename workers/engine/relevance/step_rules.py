"""The way of relevance through each kind of layer and operation."""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import keras

from schemas.models import LayerKind
from workers.engine.attention_layers import shows_attention
from workers.engine.inference import first_argument
from workers.engine.keras_code import runs_keras_code
from workers.engine.keras_internals import CustomScaleLayer, source_package
from workers.engine.layer_kinds import kind_of
from workers.engine.relevance.elementwise import is_elementwise
from workers.engine.relevance.layer_norms import is_layer_norm
from workers.engine.relevance.linear_parts import has_weights


class StepRule(Enum):
    """The way of relevance back through one step.

    WEIGHTS: a rule for layers with weights.
    PASS: every value of the output belongs to one value of the input, which gets its relevance.
    MOVE: values are copied to other places or left out, so relevance goes back to the place that a value came from. Of a maximum, it
        goes to the largest value.
    SHARE: the output is a sum, and each part gets relevance in proportion to what it contributes.
    GATE: the output is a product of a signal and a gate, and the signal gets all relevance (Arras et al. 2017, arXiv:1706.07206).
    NORM: a layer norm, whose divisor counts as a constant, so that it is a weighted sum (Ali et al. 2022, arXiv:2202.07304).
    ATTENTION: attention, whose weights count as constants, so that it is a weighted sum of values (the same paper).
    """

    WEIGHTS = auto()
    PASS = auto()
    MOVE = auto()
    SHARE = auto()
    GATE = auto()
    NORM = auto()
    ATTENTION = auto()


# These are the names of Keras's classes. A layer and an operation of the same name do the same.
_SCALES = frozenset(["BatchNormalization", "Rescaling", "Normalization", "LayerScale", "Cast", "Negative"])
_ARITHMETIC = frozenset(["Add", "Subtract", "Multiply", "Divide", "TrueDivide"])
_SUMS = frozenset(["Add", "Subtract", "Average", "Mean", "Sum", "Resizing", "Resize", "CenterCrop"])
_MOVES = frozenset(
    ["Identity", "StochasticDepth", "Concatenate", "Stack", "Maximum", "Minimum", "Max", "Amax", "Min", "Amin", "Split", "Slice"]
)
_RANDOM = "layers.preprocessing.image_preprocessing.random_"  # these layers do nothing in inference, but for the crop
_RANDOM_CROP = "RandomCrop"


def step_rule(operation: Any, inputs: int, *, keeps_shape: bool) -> StepRule | None:
    """Return how relevance goes through a layer, an operation or a function of the graph, or None if there is no rule.

    Args:
        operation: what is called.
        inputs: the number of tensors of the graph that it reads. Its other arguments are constants.
        keeps_shape: whether the output has the shape of that input, if it is one.
    """
    if operation is first_argument or not runs_keras_code(operation):
        return StepRule.MOVE if operation is first_argument else None
    if has_weights(operation):
        return StepRule.WEIGHTS if is_elementwise(vars(operation)["activation"]) else None
    return _rule_of_transformers(operation) or _rule_of_operation(operation, inputs, keeps_shape=keeps_shape)


def _rule_of_transformers(operation: Any) -> StepRule | None:
    if is_layer_norm(operation):
        return StepRule.NORM
    return StepRule.ATTENTION if shows_attention(operation) else None


def _rule_of_operation(operation: Any, inputs: int, *, keeps_shape: bool) -> StepRule | None:
    names = frozenset(parent.__name__ for parent in type(operation).__mro__ if source_package(parent))
    if inputs == 1 and keeps_shape and (is_elementwise(operation) or not names.isdisjoint(_SCALES | _ARITHMETIC)):
        return StepRule.PASS
    if _moves(operation, names):
        return StepRule.MOVE
    if _is_sum(operation, names):
        return StepRule.SHARE
    return StepRule.GATE if "Multiply" in names and inputs > 1 else None


def is_scale(operation: Any) -> bool:
    """Return whether a layer multiplies each value by a constant and adds a constant."""
    return any(parent.__name__ in _SCALES for parent in type(operation).__mro__ if source_package(parent))


def _moves(operation: Any, names: frozenset[str]) -> bool:
    """Return whether an operation only copies values to other places, leaves some out or takes the largest."""
    kind, package = kind_of(operation), source_package(type(operation))
    if isinstance(operation, keras.layers.UpSampling2D) and operation.interpolation != "nearest":
        return False
    if kind in (LayerKind.RESHAPE, LayerKind.REGULARIZATION):
        return True
    if kind is LayerKind.POOLING:
        return any("Max" in name for name in names)
    return not names.isdisjoint(_MOVES) or (package.startswith(_RANDOM) and _RANDOM_CROP not in names)


def _is_sum(operation: Any, names: frozenset[str]) -> bool:
    """Return whether every value of an operation's output is a weighted sum of values of its inputs."""
    resized = (keras.layers.UpSampling1D, keras.layers.UpSampling2D, keras.layers.UpSampling3D, CustomScaleLayer)
    return isinstance(operation, resized) or not names.isdisjoint(_SUMS) or kind_of(operation) is LayerKind.POOLING
