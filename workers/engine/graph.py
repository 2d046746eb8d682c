"""A Keras model that can be run up to any layer, with some of its layers replaced for one run."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from copy import copy
from functools import lru_cache, partial
from typing import Any

import keras
import tensorflow as tf

from schemas.errors import InvalidParameters
from schemas.models import HeadKind
from workers.contract.map_place import MapPlace
from workers.engine.bfloat16_layers import BFloat16Layers
from workers.engine.evaluation import NO_OVERRIDE, Intercept, Override, evaluate
from workers.engine.folding import FoldedPair, fold_batch_norms, folded_calls
from workers.engine.heads import Head, find_head
from workers.engine.keras_internals import use_valid_scope_names
from workers.engine.map_places import map_places
from workers.engine.topology import GraphLayer, TensorRef
from workers.engine.topology_reader import read_topology


class Graph:
    """A Functional or Sequential model, opened. It never changes what the model computes, and may be used by several threads.

    `layers` are in topological order: each comes after the layers that it reads. A shared layer is listed once, for its first call.

    Raises:
        ModelLoadFailed: the model has no layer graph, because it is a subclassed model or has no input shape.
    """

    def __init__(
        self, model: keras.Model, replacements: Mapping[str, Any] | None = None, head_kinds: Mapping[str, HeadKind] | None = None
    ) -> None:
        """`replacements` holds, by path, layers that are called in place of the model's own.

        `head_kinds` holds, by output, the kinds of heads that the model's description gives. Any other head is found from the layers.
        """
        use_valid_scope_names(model)
        self.model = model
        self._replacements = dict(replacements or {})
        self._head_kinds: dict[str, HeadKind] = dict(head_kinds or {})
        self.topology = read_topology(model).with_layers(self._replacements)
        self.layers: tuple[GraphLayer, ...] = self.topology.layers
        self._head_at = lru_cache(maxsize=None)(self._find_head)
        self._places = lru_cache(maxsize=64)(partial(map_places, self.layers))
        self._bfloat16_layers = BFloat16Layers()
        self._lock = threading.Lock()
        self._folded_pairs: tuple[FoldedPair, ...] | None = None

    def with_head_kinds(self, head_kinds: Mapping[str, HeadKind]) -> Graph:
        """Return a graph of the same model whose outputs have these kinds of heads."""
        return Graph(self.model, self._replacements, head_kinds)

    def seen_from(self, name: str) -> Graph:
        """Return this graph with the view of one input: a shared layer stands for its first call that is computed from this input.

        The two graphs share their layers and the variables that were made for speed.
        """
        if all(step.key == step.path for step in self.topology.steps):
            return self
        _ = self.folded_pairs  # they are folded once for both
        seen = copy(self)
        seen.topology = self.topology.seen_from(name)
        seen.layers = seen.topology.layers
        seen._places = lru_cache(maxsize=64)(partial(map_places, seen.layers))
        return seen

    @property
    def input_names(self) -> tuple[str, ...]:
        return self.topology.input_names

    @property
    def output_names(self) -> tuple[str, ...]:
        """The names of the outputs in order: the layer's name, with `_1`, `_2`… added where several outputs come from one layer."""
        return self.topology.output_names

    @property
    def head(self) -> Head:
        """The head of the first output."""
        return self.head_of(None)

    def head_of(self, output: str | None) -> Head:
        """Return the head of the output with this name; None means the first output.

        Raises:
            InvalidParameters: the model has no such output.
        """
        return self._head_at(self.topology.output_index(output))

    def layer_at(self, path: str) -> GraphLayer:
        """Return the layer with this path, or raise `UnknownLayer` with the nearest paths."""
        return self.topology.layer_at(path)

    def map_place(self, input_name: str, path: str, size: tuple[int, int]) -> MapPlace:
        """Return where the map of a layer lies over the input `input_name` of `size` (height, width).

        A layer that has no place, because it has no map or does not depend on this input, lies over the whole input.
        """
        return self._places(input_name, size).get(self.layer_at(path).path) or MapPlace.whole(size)

    def fast_calls(
        self, taps: Collection[str] = (), *, scores: bool = False, output: str | None = None, precision: str = "float32"
    ) -> Override:
        """Return what `run(…, taps)`, or `class_scores(…, taps)` with `scores`, should call in place of layers to be fast.

        Batch norm is folded into the layer before it unless that layer is a tap. With `precision` "bfloat16" the layers compute in
        bfloat16: inputs are cast to it and outputs have this type. Call this outside of a `tf.function`, since it makes variables.
        """
        override = folded_calls(self.folded_pairs, taps)
        if precision == "bfloat16":
            refs = {*(self.topology.tensor_at(tap) for tap in taps), *([self._output_tensor(output)] if scores else ())}
            steps = (step for step in self.topology.required_steps(frozenset(refs)) if step.kind == "call")
            override = {step.path: self._bfloat16_layers.copy_of(override.get(step.path, step.operation)) for step in steps}
        return override

    @property
    def folded_pairs(self) -> tuple[FoldedPair, ...]:
        """The batch norms that are folded into the layer before them. They are folded when this is first read."""
        with self._lock:
            if self._folded_pairs is None:
                self._folded_pairs = fold_batch_norms(self.topology)
            return self._folded_pairs

    @property
    def nbytes(self) -> int:
        """The size of the variables that folding and bfloat16 have added to the model's own, in bytes."""
        folded = sum(4 * variable.value.shape.num_elements() for pair in self._folded_pairs or () for variable in pair.variables)
        return folded + self._bfloat16_layers.nbytes

    def reaches(self, source: str, target: str) -> bool:
        """Return whether layer `target` is computed from layer `source` or is the same layer.

        Raises:
            UnknownLayer: the model has no such layer.
        """
        return self.topology.is_computed_from(self.topology.tensor_at(source), frozenset([self.topology.tensor_at(target)]))

    def reaches_scores(self, source: str, output: str | None = None) -> bool:
        """Return whether the class scores of an output are computed from layer `source`.

        The scores are the logits before a final softmax or sigmoid, or the output itself if it has none; None means the first output.

        Raises:
            UnknownLayer, InvalidParameters: the model has no such layer or output.
        """
        scores = self._output_tensor(output)
        is_before = self.topology.is_computed_from(self.topology.tensor_at(source), frozenset([scores]))
        return is_before and not self._is_after_activation(source, output)

    def run(
        self, inputs: Any, taps: Sequence[str], override: Override = NO_OVERRIDE, intercept: Intercept | None = None
    ) -> dict[str, tf.Tensor]:
        """Return the output of every layer in `taps`, by path. Only the layers that they depend on are called, in inference mode.

        Any input size works that the layers themselves allow. This may be called eagerly or inside a `tf.function`.

        Args:
            inputs: a tensor, a sequence of tensors in the model's order, or a mapping by input name. Inputs that no tap depends on
                may be missing.
            taps: layer paths. For a layer with several outputs this is the first one, for a shared layer that of its first call.
            override: what is called in place of a layer, by path, with the layer's own arguments; it stands for every call of a
                shared layer, and `path//1` for the second call alone. Inputs and nested models cannot be replaced.
            intercept: is called with (path, output) of every tapped layer; what it returns is used in place of the output.

        Raises:
            UnknownLayer: the model has no such layer.
            InvalidParameters: an input is missing.
        """
        refs = {tap: self.topology.tensor_at(tap) for tap in taps}
        values = evaluate(self.topology, inputs, refs, override, intercept)
        return {tap: values[scope][tensor] for tap, (scope, tensor) in refs.items()}

    def class_scores(
        self,
        inputs: Any,
        taps: Sequence[str] = (),
        override: Override = NO_OVERRIDE,
        intercept: Intercept | None = None,
        output: str | None = None,
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Return what `run` returns, and the logits (N, classes) float32 of an output, from before a final softmax or sigmoid.

        Where an output is probabilities p and has no logits, log p stands in their place.
        Taps at or after that activation have their own outputs, which include it; `intercept` is not called with them.

        Raises:
            UnknownLayer: the model has no such layer.
            InvalidParameters: the model has no such output, the output is not of shape (N, classes), or an input is missing.
        """
        if self.head_of(output).classes is None:
            which = "no class output" if output is None else f"no classes at output '{output}'"
            raise InvalidParameters(f"Model '{self.model.name}' has {which} (N, classes).", pointer="/model")
        return self.logits(inputs, taps, override, intercept, output)

    def logits(
        self,
        inputs: Any,
        taps: Sequence[str] = (),
        override: Override = NO_OVERRIDE,
        intercept: Intercept | None = None,
        output: str | None = None,
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """Return what `class_scores` returns, also for an output with classes at each position; its logits are (N, h, w, classes)."""
        head, scores = self.head_of(output), self._output_tensor(output)
        refs = {tap: self.topology.tensor_at(tap) for tap in taps if not self._is_after_activation(tap, output)}
        activated = self.run(inputs, [tap for tap in taps if tap not in refs], override)
        values = evaluate(self.topology, inputs, refs, head.without_activation(override), intercept, also=(scores,))
        activations = {tap: values[scope][tensor] for tap, (scope, tensor) in refs.items()} | activated
        return activations, head.logits(tf.cast(values[scores[0]][scores[1]], tf.float32))

    def _find_head(self, index: int) -> Head:
        return find_head(self.topology, index, self._head_kinds.get(self.output_names[index]))

    def _output_tensor(self, name: str | None) -> TensorRef:
        return self.topology.output_tensor(self.topology.output_index(name))

    def _is_after_activation(self, path: str, output: str | None) -> bool:
        """Return whether the output of a layer is computed from the final softmax or sigmoid of an output."""
        step = self.head_of(output).activation_step
        return step is not None and self.topology.is_computed_from(step.writes[0], frozenset([self.topology.tensor_at(path)]))
