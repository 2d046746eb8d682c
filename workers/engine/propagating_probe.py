"""The calls of a probe in which something else than a gradient goes back through the model."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from workers.contract.arrays import Float32
from workers.contract.attention import AttentionGradients, Attentions
from workers.contract.contributions import Contributions
from workers.contract.full_gradients import FullGradients
from workers.contract.relevance import InputRange, RelevanceRules, Relevances
from workers.engine.attention_pass import (
    build_attention_gradients,
    build_attentions,
    run_attention_gradients,
    run_attentions,
)
from workers.engine.compiled_cache import CompiledCache
from workers.engine.deep_lift.deep_lift_pass import build_contributions, run_contributions
from workers.engine.full_gradient_pass import build_full_gradients, run_full_gradients
from workers.engine.model_inputs import ModelInputs
from workers.engine.relevance.relevance_pass import build_relevances, run_relevances
from workers.engine.score_sources import ScoreSource


class PropagatingProbe(ABC):
    """The implementation of `workers.contract.propagation.PropagationProbe`, which documents the calls."""

    compiled: CompiledCache
    _inputs: ModelInputs
    _weights: tuple[tf.Tensor, ...]

    def relevances(
        self, tensor: Float32, class_indices: NDArray[np.int32], rules: RelevanceRules, values: InputRange, *, output: str | None = None
    ) -> Relevances:
        errors = self._checked(tensor, gradient_at=rules.until or self._inputs.name)
        source = self._explained(rules.until or self._inputs.name, output, class_indices, len(tensor))
        key = "relevances", self._inputs.key, rules, source.key
        call = self.compiled.get(key, partial(build_relevances, self._inputs, rules, source))
        with errors:
            return run_relevances(call, self._inputs.arguments(tensor), values, class_indices, self._weights)

    def contributions(
        self, tensor: Float32, baselines: Float32, class_indices: NDArray[np.int32], *, output: str | None = None
    ) -> Contributions:
        errors = self._checked(np.concatenate([tensor, baselines]), gradient_at=self._inputs.name)
        source = self._explained(self._inputs.name, output, class_indices, len(tensor))
        call = self.compiled.get(("contributions", self._inputs.key, source.key), partial(build_contributions, self._inputs, source))
        with errors:
            return run_contributions(call, self._inputs.arguments(tensor), baselines, class_indices, self._weights)

    def full_gradients(self, tensor: Float32, class_indices: NDArray[np.int32], *, output: str | None = None) -> FullGradients:
        errors = self._checked(tensor, gradient_at=self._inputs.name)
        source = self._explained(self._inputs.name, output, class_indices, len(tensor))
        call = self.compiled.get(("full_gradients", self._inputs.key, source.key), partial(build_full_gradients, self._inputs, source))
        with errors:
            return run_full_gradients(call, self._inputs.arguments(tensor), class_indices, self._weights)

    def attentions(self, tensor: Float32, layers: Sequence[str], *, scores: bool = False, output: str | None = None) -> Attentions:
        errors, paths = self._checked(tensor, returned=layers), tuple(layers)
        source = self._scores(output) if scores else None
        key = "attentions", self._inputs.key, paths, source and source.key, scores
        call = self.compiled.get(key, partial(build_attentions, self._inputs, paths, scores=source))
        with errors:
            return run_attentions(call, self._inputs.arguments(tensor), self._weights if scores else ())

    def attention_gradients(
        self, tensor: Float32, layers: Sequence[str], class_indices: NDArray[np.int32], *, output: str | None = None
    ) -> AttentionGradients:
        errors, paths = self._checked(tensor, gradient_at=layers[0], returned=layers), tuple(layers)
        (source,) = {self._explained(layer, output, class_indices, len(tensor)) for layer in paths}
        call = self.compiled.get(
            ("attention_gradients", self._inputs.key, paths, source.key), partial(build_attention_gradients, self._inputs, paths, source)
        )
        with errors:
            return run_attention_gradients(call, self._inputs.arguments(tensor), class_indices, self._weights)

    @abstractmethod
    def _scores(self, output: str | None) -> ScoreSource:
        """Return the source of the scores that are explained."""

    @abstractmethod
    def _checked(
        self, tensor: Float32, precision: str = "float32", gradient_at: str | None = None, returned: Sequence[str] = ()
    ) -> AbstractContextManager[None]:
        """Check the batch, and return the context in which TensorFlow's errors become domain errors."""

    @abstractmethod
    def _explained(self, layer: str, output: str | None, class_indices: NDArray[np.int32], count: int) -> ScoreSource:
        """Return the source of the scores, after a check that they come from `layer` and that it has these classes for each example."""
