"""The full gradients of a score as one compiled function: the input gradient, and the gradient of every bias of the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.errors import NoGradient, UnsuitableLayer
from schemas.methods.target_class import TOP_CLASS
from workers.contract.full_gradients import FullGradients
from workers.engine.domain_errors import check_finite
from workers.engine.evaluation import Override, evaluate
from workers.engine.implicit_biases import adds_nothing, implicit_biases
from workers.engine.inference import call_for_inference
from workers.engine.keras_internals import call_arguments
from workers.engine.model_inputs import ModelInputs
from workers.engine.passes import Others, traced, watch_only
from workers.engine.score_sources import ScoreSource
from workers.engine.topology import GraphStep, TensorRef, Topology


@dataclass(frozen=True)
class _Record:
    """The output of each call and its bias, by key, recorded while `tape` runs. Further outputs of a call have keys of their own."""

    tape: tf.GradientTape
    calls: dict[str, tuple[tf.Tensor, tf.Tensor]] = field(default_factory=dict[str, tuple[tf.Tensor, tf.Tensor]])


class FullGradientPass(NamedTuple):
    """The tensors of `FullGradients`, all float32 but the class indices (N,) int32."""

    gradients: tf.Tensor
    biases: dict[str, tf.Tensor]
    rest: tf.Tensor
    logits: tf.Tensor
    probabilities: tf.Tensor
    class_indices: tf.Tensor


def build_full_gradients(model_inputs: ModelInputs, scores: ScoreSource) -> Callable[..., FullGradientPass]:
    """Compile `(x, others, class_indices (N,), *weights of scores) → FullGradientPass`. Batch norm is folded where this is possible.

    `TOP_CLASS` stands for the class with the highest logit.

    Raises:
        NoGradient: no gradient of the score reaches the input.
        UnsuitableLayer: the bias of a layer is not known, because TensorFlow cannot differentiate it twice.
    """
    graph, name = model_inputs.graph, model_inputs.name
    source = graph.topology.tensor_at(name)
    origin = scores.origin(scores.fast_calls((name,), "float32"), needs_logits=False)

    def full_gradients(x: tf.Tensor, others: Others, class_indices: tf.Tensor, *weights: tf.Tensor) -> FullGradientPass:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            record = _Record(tape)
            override = _recording_calls(graph.topology, source, origin.tensor, origin.override, record)
            inputs = model_inputs.all(x, others)
            found = evaluate(graph.topology, inputs, {name: source}, override, watch_only(name, tape), also=(origin.tensor,))
            reached, values = (found[scope][tensor] for scope, tensor in (source, origin.tensor))
            logits, probabilities = scores.of_values(values, weights)
            class_indices = tf.where(class_indices == TOP_CLASS, tf.argmax(logits, axis=1, output_type=tf.int32), class_indices)
            explained = tf.gather(logits, class_indices, axis=1, batch_dims=1)
        outputs = [output for output, _ in record.calls.values()]
        sources = [reached, values, *outputs]
        gradients: Any = tape.gradient(explained, sources, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        at_input, at_values, *at_outputs = gradients
        biases = {
            key: tf.cast(bias, tf.float32) * tf.cast(gradient, tf.float32)
            for (key, (_, bias)), gradient in zip(record.calls.items(), at_outputs, strict=True)
        }
        linear = tf.reduce_sum(tf.reshape(tf.cast(at_values * values, tf.float32), (tf.shape(explained)[0], -1)), axis=1)
        return FullGradientPass(tf.cast(at_input, tf.float32), biases, explained - linear, logits, probabilities, class_indices)

    return traced(full_gradients, (*model_inputs.signature, tf.TensorSpec((None,), tf.int32), *scores.signature))


def run_full_gradients(
    call: Callable[..., FullGradientPass], arguments: Sequence[Any], class_indices: NDArray[np.int32], weights: Sequence[tf.Tensor]
) -> FullGradients:
    """Return what a function of `build_full_gradients` computes, as arrays.

    Args:
        call: the compiled function.
        arguments: its arguments `x` and `others`.
        class_indices: int32 (N,).
        weights: its arguments for the scores.

    Raises:
        NonFinite: gradients, biases times gradients, or logits are not finite.
    """
    result = call(*arguments, tf.constant(class_indices, tf.int32), *weights)
    biases = {key: value.numpy() for key, value in result.biases.items()}
    gradients, rest, logits, probabilities, explained = (
        value.numpy() for value in (result.gradients, result.rest, result.logits, result.probabilities, result.class_indices)
    )
    check_finite("in float32", {"logits": logits, "gradients at the input": gradients})
    check_finite("in float32", {f"biases times gradients of layer '{key}'": value for key, value in biases.items()})
    return FullGradients(gradients, biases, rest, logits, probabilities, explained)


def _recording_calls(
    topology: Topology, source: TensorRef, target: TensorRef, override: Override, record: _Record
) -> dict[str, Callable[..., Any]]:
    """Return what to call in place of each layer between two tensors: the same, which also records the output and its bias."""
    calls: dict[str, Callable[..., Any]] = {}
    dependent = {source}
    for step in topology.required_steps(frozenset([target])):
        reads = [ref for ref in step.reads if ref in dependent]
        if reads and source not in step.writes:
            dependent.update(step.writes)
        if step.kind != "call":
            continue
        operation = override.get(step.key) or override.get(step.path) or step.operation
        calls[step.key] = operation
        if reads and not _adds_nothing(step, operation, dependent):
            calls[step.key] = _recording(step, operation, _places(step, dependent), record)
    if target not in dependent:
        raise NoGradient("The score is not computed from the input.", pointer="/model")
    return calls


def _adds_nothing(step: GraphStep, operation: Any, dependent: set[TensorRef]) -> bool:
    """Return whether a call is known to have no bias. A tensor that does not depend on the source is one, for example in a sum."""
    tensors = {id(tensor): tensor for tensor in step.node.input_tensors}
    if any((step.scope, key) not in dependent for key in tensors):
        return False
    keeps_shape = len(tensors) == 1 and tuple(step.node.input_tensors[0].shape) == tuple(step.node.outputs[0].shape)
    return adds_nothing(operation, len(tensors), keeps_shape=keeps_shape)


def _places(step: GraphStep, dependent: set[TensorRef]) -> list[int]:
    """Return the places of the inputs that depend on the source among the flat arguments of the call."""
    symbolic = keras.tree.flatten(call_arguments(step.node, {id(tensor): tensor for tensor in step.node.input_tensors}))
    return [place for place, leaf in enumerate(symbolic) if (step.scope, id(leaf)) in dependent]


def _recording(step: GraphStep, operation: Callable[..., Any], places: Sequence[int], record: _Record) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        leaves = keras.tree.flatten((args, kwargs))

        def compute(*given: Any) -> Any:
            filled: Mapping[int, Any] = dict(enumerate(leaves)) | dict(zip(places, given, strict=True))
            args_, kwargs_ = keras.tree.pack_sequence_as((args, kwargs), [filled[place] for place in range(len(leaves))])
            return call_for_inference(operation, args_, kwargs_)

        output = keras.tree.map_structure(tf.identity, call_for_inference(operation, args, kwargs))
        with record.tape.stop_recording():
            try:
                biases = implicit_biases(compute, [leaves[place] for place in places])
            except LookupError as error:
                raise UnsuitableLayer(
                    f"The bias of layer '{step.path}' ({type(step.operation).__name__}) is not known, because TensorFlow cannot "
                    f"differentiate it twice ({error}). Use another method, such as integrated_gradients, for this model.",
                    pointer="/model",
                    got=step.path,
                ) from error
        for number, (each, bias) in enumerate(zip(keras.tree.flatten(output), biases, strict=True)):
            record.calls[f"{step.key}:{number}" if number else step.key] = each, bias
        return output

    return call
