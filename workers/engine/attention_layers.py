"""Attention layers that let their probabilities be seen: what they compute stays the same, and the model is not changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import tensorflow as tf

from schemas.errors import UnsuitableLayer
from workers.engine.evaluation import Override
from workers.engine.inference import call_for_inference
from workers.engine.keras_internals import (
    ATTENTION_METHODS,
    ATTENTION_SOFTMAX_ATTRIBUTE,
    FLASH_ATTENTION_ATTRIBUTE,
    call_arguments,
    source_package,
)
from workers.engine.layer_copies import copy_layer
from workers.engine.topology import GraphStep, TensorRef, Topology

ATTENTION_LAYERS = (keras.layers.MultiHeadAttention, keras.layers.GroupQueryAttention)
"""The layers whose attention probabilities can be seen."""

Seen = Callable[[tf.Tensor], tf.Tensor]
"""It is called with the probabilities (N, heads, T, S), and what it returns is used in their place."""


def shows_attention(operation: Any) -> bool:
    """Return whether a layer's attention probabilities can be seen: it is one of `ATTENTION_LAYERS` and computes what Keras's own does."""
    if not isinstance(operation, ATTENTION_LAYERS):
        return False
    owners = (next((parent for parent in type(operation).__mro__ if name in vars(parent)), object) for name in ATTENTION_METHODS)
    return all(source_package(owner) for owner in owners)


def with_seen_attention(layer: Any, seen: Seen) -> Callable[..., Any]:
    """Return a call of an attention layer in which `seen` gets the probabilities.

    A fused kernel (flash attention, or `keras.ops.dot_product_attention`) gives no probabilities. So the layer is asked for them, which
    makes it compute the softmax as a step of its own. Masks count as they do in the layer, and dropout is off.
    """
    softmax: Any = getattr(layer, ATTENTION_SOFTMAX_ATTRIBUTE)

    def call(*args: Any, return_attention_scores: bool = False, **kwargs: Any) -> Any:
        def seen_softmax(scores: Any, mask: Any = None) -> tf.Tensor:
            return seen(softmax(scores, mask=mask))

        attributes = {ATTENTION_SOFTMAX_ATTRIBUTE: seen_softmax, FLASH_ATTENTION_ATTRIBUTE: False}
        found = call_for_inference(copy_layer(layer, **attributes), args, {**kwargs, "return_attention_scores": True})
        return found if return_attention_scores else found[0]

    return call


def attended_values(step: GraphStep) -> TensorRef:
    """Return the tensor whose values an attention layer gathers."""
    args, kwargs = call_arguments(step.node, {id(tensor): tensor for tensor in step.node.input_tensors})
    return step.scope, id(args[1] if len(args) > 1 else kwargs["value"])


def with_constant_attention(layer: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Callable[[Any], Any], Any]:
    """Return a call of an attention layer as a function of its values, and these values. Its probabilities count as constants.

    Args:
        args, kwargs: the arguments of the call. The function keeps those other than the values.
    """
    call = with_seen_attention(layer, tf.stop_gradient)

    def compute(values: Any) -> Any:
        if len(args) > 1:
            return call(args[0], values, *args[2:], **kwargs)
        return call(*args, **{**kwargs, "value": values})

    return compute, args[1] if len(args) > 1 else kwargs["value"]


def attention_calls(topology: Topology, paths: Sequence[str]) -> tuple[GraphStep, ...]:
    """Return every call of the layers at `paths`, in the order in which the model makes them.

    Raises:
        UnknownLayer: the model has no such layer.
        UnsuitableLayer: a layer's attention probabilities cannot be seen.
    """
    wanted = {topology.layer_at(path).path for path in paths}
    steps = tuple(step for step in topology.steps if step.kind == "call" and step.path in wanted)
    for step in steps:
        if not shows_attention(step.operation):
            raise UnsuitableLayer(
                f"The attention of layer '{step.path}' ({type(step.operation).__name__}) cannot be seen. It can be seen in Keras's own "
                "MultiHeadAttention and GroupQueryAttention, and in subclasses that do not change how they attend.",
                pointer="/params/layer",
                got=step.path,
            )
        _check_axes(step)
    return steps


def seeing_calls(steps: Sequence[GraphStep], override: Override, seen: Callable[[str, tf.Tensor], tf.Tensor]) -> Override:
    """Return `override` extended by what to call in place of these steps, so that `seen(key, probabilities)` gets their probabilities."""

    def calling(step: GraphStep) -> Callable[..., Any]:
        return with_seen_attention(
            override.get(step.key) or override.get(step.path) or step.operation, lambda probabilities: seen(step.key, probabilities)
        )

    return {**override, **{step.key: calling(step) for step in steps}}


def _check_axes(step: GraphStep) -> None:
    """Raise `UnsuitableLayer` if a layer attends along some axes of a map alone, for example within its rows."""
    axes: Any = getattr(step.operation, "attention_axes", None)
    positions = len(step.node.outputs[0].shape) - 2
    if axes is not None and len(axes) < positions:
        raise UnsuitableLayer(
            f"Layer '{step.path}' attends along {len(axes)} of the {positions} axes of its map, so a position does not attend to the whole "
            "map.",
            pointer="/params/layer",
            got=step.path,
        )
