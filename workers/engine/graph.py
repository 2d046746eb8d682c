"""Any Keras model as named taps: layer by layer, cut where nothing more is asked for, with layers replaced for one run."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cached_property, lru_cache, partial
from types import MappingProxyType
from typing import Any

import keras
import tensorflow as tf

from schemas.errors import InvalidParameters, UnknownLayer, nearest_hint, nearest_names
from workers.engine import folding
from workers.engine.inference import call_for_inference
from workers.engine.keras_internals import producer_of, standardised_inputs
from workers.engine.logits import Head, find_head
from workers.engine.precision import HalfLayers
from workers.engine.unfold import GraphLayer, Ref, Step, Unfolded, Values, nested_inputs, unfold

Override = Mapping[str, Callable[..., Any]]
NO_OVERRIDE: Override = MappingProxyType({})


class Graph:
    """A Functional or Sequential model, opened. It never changes the model and is safe to use from several threads.

    `layers` are in topological order, a layer before those that read it; of a shared layer only its first call is listed.

    Raises:
        ModelLoadFailed: the model has no layer graph (a subclassed model, or one without an input shape).
    """

    def __init__(self, model: keras.Model, stand_ins: Mapping[str, Any] | None = None) -> None:
        """`stand_ins`: layers that are called, here, in place of the model's own, by path."""
        self.model = model
        self.unfolded: Unfolded = unfold(model).with_layers(stand_ins or {})
        self.layers: tuple[GraphLayer, ...] = self.unfolded.layers
        self._by_path = {layer.path: layer for layer in self.layers}
        self._writer: dict[Ref, int] = {ref: index for index, step in enumerate(self.unfolded.steps) for ref in step.writes}
        self._needed = lru_cache(maxsize=512)(self._find_needed)
        self._heads = lru_cache(maxsize=None)(partial(find_head, self))
        self._half = HalfLayers()
        self._lock = threading.Lock()
        self._pairs: tuple[folding.FoldedPair, ...] | None = None

    @cached_property
    def input_names(self) -> tuple[str, ...]:
        return tuple(producer_of(tensor).name for tensor in self.unfolded.inputs)

    @cached_property
    def output_names(self) -> tuple[str, ...]:
        """One an output, in order: the layer's name, with `_1`, `_2`… where several outputs are one layer's."""
        own = [producer_of(tensor).name for tensor in self.model.outputs]
        return tuple(name if (seen := own[:index].count(name)) == 0 else f"{name}_{seen}" for index, name in enumerate(own))

    @cached_property
    def head(self) -> Head:
        """What the first output ends in, and how to get the logits before it."""
        return self.head_of(None)

    def head_of(self, output: str | None) -> Head:
        """The same of the output of that name; None: the first.

        Raises:
            InvalidParameters: there is no output of that name.
        """
        return self._heads(self._output_index(output))

    def layer_at(self, path: str) -> GraphLayer:
        """Raises `UnknownLayer` with the nearest paths."""
        try:
            return self._by_path[path]
        except KeyError:
            nearest = nearest_names(path, self._by_path)
            raise UnknownLayer(
                f"The model has no layer '{path}'.{nearest_hint(nearest)}", pointer="/params/layer", got=path, nearest=nearest
            ) from None

    def fast(self, taps: Collection[str] = (), *, scores: bool = False, output: str | None = None, precision: str = "float32") -> Override:
        """What `run(…, taps)`, or with `scores` `class_scores(…, taps, output=output)`, should call in place of the layers to be quick.

        Batch norm is folded into the convolution before it, unless that is a tap; with `precision` "bfloat16" layers compute in
        it, inputs are cast on the way in, and outputs come in it too. Makes variables: call it outside of a `tf.function`.
        """
        override = folding.override(self.folded_pairs, taps)
        if precision == "bfloat16":
            refs = {*(self._ref(tap) for tap in taps), *([self._output(output)] if scores else ())}
            steps = (step for step in self._needed(frozenset(refs)) if step.kind == "call")
            override = {step.path: self._half.of(override.get(step.path, step.operation)) for step in steps}
        return override

    @property
    def folded_pairs(self) -> tuple[folding.FoldedPair, ...]:
        with self._lock:
            if self._pairs is None:
                self._pairs = folding.foldable(self)
            return self._pairs

    @property
    def nbytes(self) -> int:
        """Of the variables that folding and bfloat16 have added beside the model's own."""
        folded = sum(4 * variable.value.shape.num_elements() for pair in self._pairs or () for variable in pair.variables)
        return folded + self._half.nbytes

    def writer(self, ref: Ref) -> Step | None:
        """The step that makes a tensor; None for the model's inputs."""
        index = self._writer.get(ref)
        return None if index is None else self.unfolded.steps[index]

    def reaches(self, source: str, *targets: str, output: str | None = None) -> bool:
        """Whether any of the layers `targets` is computed from layer `source`, or is it; without `targets`, whether the class
        scores of `output` are (where it has none: the output itself), which stand before a final softmax or sigmoid."""
        if targets:
            return self._is_from(self._ref(source), frozenset(self._ref(target) for target in targets))
        return self._is_from(self._ref(source), frozenset([self._output(output)])) and not self._is_activated(source, output)

    def run(
        self,
        inputs: Any,
        taps: Sequence[str],
        override: Override = NO_OVERRIDE,
        intercept: Callable[[str, tf.Tensor], tf.Tensor] | None = None,
    ) -> dict[str, tf.Tensor]:
        """Calls, one by one and in inference mode, the layers that `taps` depend on, and no others.

        Any input size works that the layers themselves allow. Eager or inside a `tf.function`.

        Args:
            inputs: a tensor, a sequence of them in the model's order, or a mapping by input name; those that no tap depends on
                may be missing.
            taps: layer paths. Of a layer with several outputs the first is tapped.
            override: by path, what is called in place of the layer, with the layer's own arguments (every call of a shared
                layer; `path@1` stands for its second call alone). Inputs and nested models are not calls: they cannot be replaced.
            intercept: gets (path, output) of every tapped layer as soon as it is there; what it returns goes on in its place.

        Raises:
            UnknownLayer: a tap that the model does not have.
            InvalidParameters: an input is missing.
        """
        refs = {tap: self._ref(tap) for tap in taps}
        values = self._evaluate(inputs, tuple(refs.values()), override, {ref: tap for tap, ref in refs.items()}, intercept)
        return {tap: values[scope][tensor] for tap, (scope, tensor) in refs.items()}

    def class_scores(
        self,
        inputs: Any,
        taps: Sequence[str] = (),
        override: Override = NO_OVERRIDE,
        intercept: Callable[[str, tf.Tensor], tf.Tensor] | None = None,
        output: str | None = None,
    ) -> tuple[dict[str, tf.Tensor], tf.Tensor]:
        """As `run`, with the logits (N, classes) float32 of the output named, taken before a final softmax or sigmoid.

        Taps at or after that activation have their own outputs, with it; `intercept` does not get them.

        Raises:
            InvalidParameters: the model has no output of that name, or it is not (N, classes).
        """
        head, ref = self.head_of(output), self._output(output)
        if head.kind == "none":
            which = "no class output" if output is None else f"no classes at output '{output}'"
            raise InvalidParameters(f"Model '{self.model.name}' has {which} (N, classes).", pointer="/model")
        refs = {tap: self._ref(tap) for tap in taps if not self._is_activated(tap, output)}
        activated = self.run(inputs, [tap for tap in taps if tap not in refs], override)
        override = head.without_activation(override)
        values = self._evaluate(inputs, (*refs.values(), ref), override, {tap: name for name, tap in refs.items()}, intercept)
        activations = {tap: values[scope][tensor] for tap, (scope, tensor) in refs.items()} | activated
        return activations, tf.cast(values[ref[0]][ref[1]], tf.float32)

    def _ref(self, path: str) -> Ref:
        return self.unfolded.taps[self.layer_at(path).path]

    def _is_from(self, source: Ref, targets: frozenset[Ref]) -> bool:
        return source in targets or any(source in step.reads for step in self._needed(targets))

    def _output_index(self, name: str | None) -> int:
        if name is None:
            return 0
        if name not in self.output_names:
            allowed = ", ".join(self.output_names)
            raise InvalidParameters(
                f"Model '{self.model.name}' has the outputs {allowed}; there is no '{name}'.",
                pointer="/params/output",
                allowed=allowed,
                got=name,
            )
        return self.output_names.index(name)

    def _output(self, name: str | None) -> Ref:
        return self.unfolded.outputs[self._output_index(name)]

    def _is_activated(self, path: str, output: str | None) -> bool:
        """Whether a layer's output has the final softmax or sigmoid of `output` behind it."""
        activated = self.head_of(output).activated
        return activated is not None and self._is_from(activated.writes[0], frozenset([self._ref(path)]))

    def _find_needed(self, refs: frozenset[Ref]) -> tuple[Step, ...]:
        found: set[int] = set()
        pending = list(refs)
        while pending:
            index = self._writer.get(pending.pop())
            if index is not None and index not in found:
                found.add(index)
                pending.extend(self.unfolded.steps[index].reads)
        return tuple(self.unfolded.steps[index] for index in sorted(found))

    def _evaluate(
        self,
        inputs: Any,
        refs: tuple[Ref, ...],
        override: Override,
        names: Mapping[Ref, str],
        intercept: Callable[[str, tf.Tensor], tf.Tensor] | None,
    ) -> Values:
        values: Values = [{} for _ in range(self.unfolded.scopes)]

        def put(ref: Ref, value: Any) -> None:
            if intercept is not None and ref in names:
                value = intercept(names[ref], value)
            values[ref[0]][ref[1]] = value

        needed = self._needed(frozenset(refs))
        self._feed(inputs, {*refs, *(ref for step in needed for ref in step.reads)}, put)
        for step in needed:
            for ref, value in zip(step.writes, self._outputs(step, values, override), strict=True):
                put(ref, value)
        return values

    def _feed(self, inputs: Any, wanted: set[Ref], put: Callable[[Ref, Any], None]) -> None:
        names = self.input_names
        if not isinstance(inputs, Mapping):
            inputs = dict(zip(names, inputs if isinstance(inputs, (list, tuple)) else [inputs], strict=False))
        for name, tensor in zip(names, self.unfolded.inputs, strict=True):
            if (0, id(tensor)) not in wanted:
                continue
            if name not in inputs:
                raise InvalidParameters(
                    f"Model '{self.model.name}' has the inputs {', '.join(names)}; '{name}' is needed here and was not given.",
                    allowed=", ".join(names),
                    got=", ".join(inputs) or "none",
                )
            put((0, id(tensor)), keras.ops.convert_to_tensor(inputs[name], dtype=tensor.dtype))

    @staticmethod
    def _outputs(step: Step, values: Values, override: Override) -> Sequence[Any]:
        if step.kind == "leave":
            return [values[scope][tensor] for scope, tensor in step.reads]
        args, kwargs = step.arguments(values)
        if step.kind == "enter":
            return standardised_inputs(step.model, nested_inputs(args, kwargs))
        operation = override.get(step.key) or override.get(step.path) or step.operation
        return keras.tree.flatten(call_for_inference(operation, args, kwargs))
