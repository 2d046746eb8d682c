"""The probe of a network that can only be run: methods see its outputs, and nothing else."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from functools import cache
from typing import Any, Literal, NoReturn

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from schemas.errors import ForwardOnlyModel, InvalidParameters, OutOfMemory, UnknownClass
from schemas.models import ModelDescription, Preprocessing, PublishedModel
from workers.contract.arrays import Float32
from workers.contract.attention import AttentionGradients, Attentions
from workers.contract.contributions import Contributions
from workers.contract.full_gradients import FullGradients
from workers.contract.map_place import MapPlace
from workers.contract.probe import Forward, InputGradients, LayerGradients, ReluRule
from workers.contract.relevance import InputRange, RelevanceRules, Relevances
from workers.contract.scores import GradientScore, Readout
from workers.contract.synthesis import AscentSpec, AscentState, DreamSpec, DreamState
from workers.engine.domain_errors import check_finite
from workers.engine.forward_only.image_input import other_image_input
from workers.engine.forward_only.network import ForwardNetwork
from workers.engine.forward_only.pass_size import inputs_per_pass
from workers.engine.heads import Head
from workers.engine.request_checks import check_input
from workers.engine.score_sources import weighted_sums

_MEMORY_WORDS = ("bad_alloc", "failed to allocate", "out of memory", "smaller than requested")


class ForwardOnlyProbe:
    """The implementation of `workers.contract.probe.Probe` for ONNX and TFLite files. It is thread-safe.

    Calls that need a layer or a gradient raise `ForwardOnlyModel`. The service has refused such methods before.
    """

    nbytes = 0  # nothing is added to the network
    operations = 0

    def __init__(self, network: ForwardNetwork, published: PublishedModel, heads: Mapping[str, Head]) -> None:
        self._network, self._published, self._heads = network, published, heads
        self._values: Mapping[str, NDArray[np.generic]] = {}
        self._takes = _shape_of(published.description)
        self._outputs = {output.name: output for output in network.outputs}
        self._target: tuple[Readout, tf.Tensor] | None = None
        self._pass_size = cache(lambda size: inputs_per_pass(network, size))

    @property
    def published(self) -> PublishedModel:
        return self._published

    @property
    def description(self) -> ModelDescription:
        return self._published.description

    def inputs_per_pass(self, size: tuple[int, int], *, gradient: bool = False) -> int:
        if gradient:
            self._refuse("gradients")
        with self._domain_errors((1, *size)):
            return self._pass_size(size)

    def map_place(self, layer: str, size: tuple[int, int]) -> MapPlace:
        self._refuse("layers with maps")

    def forward(
        self,
        tensor: Float32,
        layers: Sequence[str] = (),
        *,
        scores: bool = False,
        output: str | None = None,
        precision: str = "float32",
    ) -> Forward:
        if layers:
            self._refuse("activations of layers")
        if not scores:
            return Forward({}, None, None)
        if self._target is not None:
            readout, weights = self._target
            sums: Float32 = weighted_sums(
                tf.constant(self.values(tensor, readout, precision=precision)), weights, normalised=readout.normalised
            ).numpy()
            return Forward({}, sums, sums)
        name, head = self._head_of(output)
        if head.classes is None:
            raise UnknownClass(f"Output '{name}' of model '{self.description.name}' has no classes.", pointer="/params/output", got=name)
        logits = self._logits(tensor, name, precision)
        check_finite("in float32", {"logits": logits})
        return Forward({}, logits, head.probabilities(tf.constant(logits)).numpy())

    def values(self, tensor: Float32, readout: Readout, *, precision: str = "float32") -> Float32:
        if readout.source == "layer":
            self._refuse("activations of layers")
        name, head = self._head_of(readout.name)
        if readout.source == "output":
            found = self._run(tensor, name, before_activation=False, precision=precision)
        else:
            found = self._logits(tensor, name, precision)
            if readout.source == "probabilities":
                found = head.probabilities(tf.constant(found)).numpy()
        check_finite("in float32", {"values of the target": found})
        return found

    def explaining(self, readout: Readout, weights: Float32, names: Sequence[str]) -> ForwardOnlyProbe:
        probe = copy(self)
        probe._target = (readout, tf.constant(weights, tf.float32))
        probe._published = self._published.with_targets(names)
        return probe

    def with_inputs(self, name: str, values: Mapping[str, NDArray[np.generic]], preprocessing: Preprocessing) -> ForwardOnlyProbe:
        probe = copy(self)
        probe._published = self._published.seen_from(name, preprocessing)
        probe._takes, probe._values = _shape_of(probe.description), values
        if name != self._network.image.name:
            spec = next(each for each in self._network.inputs if each.name == name)
            image = other_image_input(spec, self._network.image.layout)
            if image is None:
                self._refuse(f"image for its input '{name}'")
            probe._network = network = self._network.seen_from(image)
            probe._pass_size = cache(lambda size: inputs_per_pass(network, size))
        return probe

    def gradients(
        self,
        tensor: Float32,
        layer: str,
        class_indices: NDArray[np.int32],
        *,
        score: GradientScore = "logit",
        products: bool = False,
        output: str | None = None,
        precision: str = "float32",
    ) -> LayerGradients:
        self._refuse("gradients")

    def input_gradients(
        self,
        tensor: Float32,
        class_indices: NDArray[np.int32],
        *,
        score: Literal["logit", "probability"] = "logit",
        relu_rule: ReluRule = "gradient",
        output: str | None = None,
        precision: str = "float32",
    ) -> InputGradients:
        self._refuse("gradients")

    def relevances(
        self, tensor: Float32, class_indices: NDArray[np.int32], rules: RelevanceRules, values: InputRange, *, output: str | None = None
    ) -> Relevances:
        self._refuse("gradients")

    def full_gradients(self, tensor: Float32, class_indices: NDArray[np.int32], *, output: str | None = None) -> FullGradients:
        self._refuse("gradients")

    def contributions(
        self, tensor: Float32, baselines: Float32, class_indices: NDArray[np.int32], *, output: str | None = None
    ) -> Contributions:
        self._refuse("gradients")

    def attentions(self, tensor: Float32, layers: Sequence[str], *, scores: bool = False, output: str | None = None) -> Attentions:
        self._refuse("attention of layers")

    def attention_gradients(self, *_: Any, **__: Any) -> AttentionGradients:
        self._refuse("gradients")

    def backproject(self, tensor: Float32, layer: str, seed: Float32, *, relu_rule: ReluRule = "gradient") -> Float32:
        self._refuse("gradients")

    def scores_from(
        self,
        tensor: Float32,
        layer: str,
        activations: Float32,
        *,
        layers: Sequence[str] = (),
        output: str | None = None,
        precision: str = "float32",
    ) -> Forward:
        self._refuse("activations of layers")

    def randomised(self, layers: Sequence[str], seed: int) -> ForwardOnlyProbe:
        self._refuse("layers with weights")

    def ascend(self, spec: AscentSpec) -> Generator[AscentState, None, AscentState]:
        self._refuse("gradients")

    def dream(self, spec: DreamSpec) -> Generator[DreamState, None, DreamState]:
        self._refuse("gradients")

    def weights(self, layer: str) -> dict[str, Float32]:
        self._refuse("layers with weights")

    def _logits(self, tensor: Float32, name: str, precision: str) -> Float32:
        """Return the logits (N, …, classes) of an output: the values before its activation, if it has one."""
        before_activation = self._outputs[name].activation is not None
        values = self._run(tensor, name, before_activation=before_activation, precision=precision)
        return self._heads[name].logits(tf.constant(values)).numpy()

    def _run(self, tensor: Float32, name: str, *, before_activation: bool, precision: str) -> Float32:
        check_input(self.description.name, self._takes, tensor, precision)
        if precision != "float32":
            self._refuse(f"a pass in {precision}")
        with self._domain_errors(tensor.shape):
            (values,) = self._network.run(tensor, [(name, before_activation)], self._values)
        return values

    def _head_of(self, output: str | None) -> tuple[str, Head]:
        name = self.description.head_at(output).name
        return name, self._heads[name]

    def _refuse(self, what: str) -> NoReturn:
        raise ForwardOnlyModel(f"Model '{self.description.name}' can only be run, and its file gives no {what}.")

    @contextmanager
    def _domain_errors(self, shape: Sequence[int]) -> Iterator[None]:
        """Translate the errors of the runtimes, which have no classes of their own.

        Raises:
            OutOfMemory: there is no memory for this batch.
            InvalidParameters: the model takes inputs of any size, and cannot process one of this size.
        """
        try:
            yield
        except MemoryError as error:
            raise self._out_of_memory(shape) from error
        except Exception as error:
            if any(word in str(error).lower() for word in _MEMORY_WORDS):
                raise self._out_of_memory(shape) from error
            if self._takes.is_fully_defined() or None not in self._takes[1:3]:
                raise
            size = " × ".join(map(str, shape[1:3]))
            raise InvalidParameters(
                f"Model '{self.description.name}' cannot process an input of {size}: it is too small, or its maps cannot be merged.",
                got=size,
            ) from error

    def _out_of_memory(self, shape: Sequence[int]) -> OutOfMemory:
        return OutOfMemory(f"There is no memory for a batch of {shape[0]} inputs of {' × '.join(map(str, shape[1:]))}.")


def _shape_of(description: ModelDescription) -> tf.TensorShape:
    spec = description.input
    return tf.TensorShape((None, spec.height, spec.width, spec.channels))
