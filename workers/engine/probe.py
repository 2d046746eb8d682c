"""A loaded Keras model, ready to be looked into: `workers.interface.Probe`."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Literal

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.errors import InvalidParameters, NoGradient, UnknownClass
from schemas.models import ModelDescription, PublishedModel
from workers.engine.ascent.loop import ascend
from workers.engine.compiled import CompiledCache
from workers.engine.faults import as_domain_errors, check_finite
from workers.engine.graph import Graph
from workers.engine.passes import ForwardPass, GradientPass, build_forward, build_gradients, image_spec
from workers.engine.weights import weights_of
from workers.interface import AscentSpec, AscentState, Float32, Forward, LayerGradients

PRECISIONS = ("float32", "bfloat16")


class KerasProbe:
    """See `workers.interface.Probe`. The model is never changed; compiled functions and stand-in layers live as long as this.

    A batch with one example that is not finite raises `NonFinite` as a whole: run its examples alone to see which are fine.
    """

    def __init__(self, model: keras.Model, published: PublishedModel) -> None:
        self._published = published
        self._input = published.description.input.name
        self.graph = Graph(model)
        self.compiled = CompiledCache()
        self._spec = image_spec(self.graph, self._input)

    @property
    def published(self) -> PublishedModel:
        return self._published

    @property
    def description(self) -> ModelDescription:
        return self._published.description

    @property
    def nbytes(self) -> int:
        """Of what was made beside the model's own weights so far."""
        return self.graph.nbytes

    @property
    def traces(self) -> int:
        """How often a function was traced: one for each (target, kind of call)."""
        return self.compiled.traces

    def forward(self, tensor: Float32, layers: Sequence[str] = (), *, scores: bool = False, precision: str = "float32") -> Forward:
        self._check(tensor, precision)
        paths = tuple(layer.path for layer in self.graph.layers if layer.path in set(layers))  # one trace for any order of them
        for path in set(layers).difference(paths):
            self.graph.layer_at(path)  # says that there is none
        call = self.compiled.get(
            ("forward", paths, scores, precision), lambda: build_forward(self.graph, self._input, paths, scores, precision)
        )
        with as_domain_errors(tensor.shape, self._spec.shape):
            result: ForwardPass = call(tf.constant(tensor, tf.float32))
            activations = {path: result.activations[path].numpy() for path in paths}
        logits, probabilities = (None if value is None else value.numpy() for value in (result.logits, result.probabilities))
        check_finite(f"in {precision}", {**{f"activations of layer '{path}'": a for path, a in activations.items()}, "logits": logits})
        return Forward(activations, logits, probabilities)

    def gradients(
        self,
        tensor: Float32,
        layer: str,
        class_indices: NDArray[np.int32],
        *,
        score: Literal["logit", "probability"] = "logit",
        sign: int = 1,
        precision: str = "float32",
    ) -> LayerGradients:
        self._check(tensor, precision)
        self._check_target(layer, class_indices, len(tensor), sign)
        call = self.compiled.get(
            ("gradients", layer, score, precision), lambda: build_gradients(self.graph, self._input, layer, score, precision)
        )
        with as_domain_errors(tensor.shape, self._spec.shape):
            result: GradientPass = call(
                tf.constant(tensor, tf.float32), tf.constant(class_indices, tf.int32), tf.constant(sign, tf.float32)
            )
            found = LayerGradients(*(value.numpy() for value in result))
        check_finite(
            f"in {precision}",
            {
                f"activations of layer '{layer}'": found.activations,
                "logits": found.logits,
                f"gradients at layer '{layer}'": found.gradients,
            },
        )
        return found

    def ascend(self, spec: AscentSpec) -> Generator[AscentState, None, AscentState]:
        with as_domain_errors((len(spec.objective.indices) or 1, *spec.size), self._spec.shape):
            return (yield from ascend(self.graph, self.description.preprocessing, spec, self.compiled))

    def weights(self, layer: str) -> dict[str, Float32]:
        return weights_of(self.graph, layer)

    def _check(self, tensor: Float32, precision: str) -> None:
        if not self._spec.shape.is_compatible_with(tensor.shape):
            allowed = "(N, " + ", ".join("any" if size is None else str(size) for size in self._spec.shape[1:]) + ")"
            raise InvalidParameters(
                f"Model '{self.description.name}' takes inputs {allowed}, got {tensor.shape}.", allowed=allowed, got=str(tensor.shape)
            )
        if precision not in PRECISIONS:
            raise InvalidParameters(
                f"precision is one of {', '.join(PRECISIONS)}, got '{precision}'.",
                pointer="/params/precision",
                allowed=", ".join(PRECISIONS),
                got=precision,
            )

    def _check_target(self, layer: str, class_indices: NDArray[np.int32], n: int, sign: int) -> None:
        self.graph.layer_at(layer)
        name, head = self.description.name, self.graph.head
        if head.classes is None:
            raise NoGradient(f"Model '{name}' has no class output, so there is no class score to take a gradient of.", pointer="/model")
        if not self.graph.reaches(layer):
            raise NoGradient(f"The class score of model '{name}' is not computed from layer '{layer}'.", pointer="/params/layer", got=layer)
        if class_indices.shape != (n,):
            raise InvalidParameters(
                f"One class index for each of {n} examples, got shape {class_indices.shape}.",
                pointer="/params/class_index",
                allowed=f"({n},)",
                got=str(class_indices.shape),
            )
        if n and not -1 <= int(class_indices.min()) <= int(class_indices.max()) < head.classes:
            wrong = class_indices.min() if class_indices.min() < -1 else class_indices.max()
            allowed = f"0 to {head.classes - 1}, or -1 for the top class"
            raise UnknownClass(
                f"Model '{name}' has {head.classes} classes: {allowed}; got {wrong}.",
                pointer="/params/class_index",
                allowed=allowed,
                got=str(wrong),
            )
        if sign != 1 and not (sign == -1 and head.kind == "sigmoid" and head.classes == 1):
            raise InvalidParameters(
                f"sign is 1, or -1 with one sigmoid output; model '{name}' has head '{head.kind}' and {head.classes} classes, got {sign}.",
                pointer="/params/sign",
                got=str(sign),
            )
