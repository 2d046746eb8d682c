"""Gradient ascent from start to end, in slices between which the device is free for others."""

from __future__ import annotations

import time
from collections.abc import Generator
from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf

from schemas.errors import InvalidParameters, NonFinite
from schemas.models import Preprocessing
from workers.engine.ascent import cost, regularisers, step, transforms
from workers.engine.ascent.parametrisations import starts
from workers.engine.compiled import CompiledCache
from workers.engine.graph import Graph
from workers.interface import AscentSpec, AscentState

SLICE_SECONDS = 0.25


def ascend(
    graph: Graph, preprocessing: Preprocessing, spec: AscentSpec, compiled: CompiledCache
) -> Generator[AscentState, None, AscentState]:
    """Runs `spec`; yields after every slice of about 250 ms at most, and returns the last state.

    A slice is as many whole steps as fit; where one step of all images takes longer, as many of its calls. The images of a state
    are those that its last objectives were taken at; the returned ones have the last step behind them.

    Raises:
        InvalidParameters: the target cannot be computed for an image of this size, or has no such position.
        NoGradient: the target does not depend on the input.
        NonFinite: an objective or a gradient is not a number.
    """
    run = _Run(graph, preprocessing, spec, compiled)
    started, longest = time.monotonic(), 0.0
    for number in range(spec.steps):
        for chunk in range(len(run.chunks)):
            if (number or chunk) and time.monotonic() - started + longest > SLICE_SECONDS:
                yield run.state(number)
                started = time.monotonic()
            called = time.monotonic()
            run.advance(number, chunk)
            if number:  # the first calls compile
                longest = max(longest, time.monotonic() - called)
    return run.finished()


class _Run:
    def __init__(self, graph: Graph, preprocessing: Preprocessing, spec: AscentSpec, compiled: CompiledCache) -> None:
        channels = graph.unfolded.inputs[0].shape[-1]
        self.spec = spec
        self.step = compiled.get(step.key(spec), lambda: step.build(graph, preprocessing, spec, channels))
        traced = _traced(self.step, graph, spec)
        if spec.objective.kind == "neuron":
            _check_position(graph, spec, channels, compiled)
        self.settings = step.settings(spec, channels)
        self.parametrisation = step.parametrisation(spec, channels, preprocessing, self.settings.scale, self.settings.offset)
        self.draws = transforms.draws(spec.transforms, spec.steps, spec.seed)
        keys = spec.objective.indices or (0,)
        begin = starts(spec.start, self.parametrisation.shape, spec.seed, keys)
        ends = np.cumsum(cost.chunks(len(keys), cost.images_per_call(traced.graph)))
        self.chunks = [slice(int(start), int(end)) for start, end in pairwise((0, *ends))]
        self.indices = [tf.constant(keys[chunk], tf.int32) for chunk in self.chunks]
        self.points = [step.beginning(spec, begin[chunk]) for chunk in self.chunks]
        self.images: list[Any] = [self.image(point.variable) for point in self.points]
        self.values = np.zeros((len(keys), spec.steps), np.float32)
        self.seen = np.zeros(len(keys), bool)
        sigma = spec.regularisers.blur
        self.blur = tuple(tf.constant(regularisers.blur_matrix(side, sigma)) for side in spec.size) if sigma else None

    def advance(self, number: int, index: int) -> None:
        """Step `number` of chunk `index`."""
        chunk, point = self.chunks[index], self.points[index]
        result: step.Step = self.step(point, np.int32(number), self.indices[index], self.draws[number], self.settings)
        if not np.all(result.finite):
            raise NonFinite(
                f"The objective or its gradient is not a number at step {number + 1} of {self.spec.steps} "
                f"({self.spec.precision}). A smaller learning_rate, or float32, may help."
            )
        self.points[index], self.images[index] = result.point, result.images
        self.values[chunk, number] = result.values
        self.seen[chunk] |= result.seen
        if self.blur and number % regularisers.BLUR_EVERY == regularisers.BLUR_EVERY - 1:
            self.points[index] = result.point._replace(variable=regularisers.blur(result.point.variable, *self.blur))

    def state(self, done: int) -> AscentState:
        return AscentState(done, self.spec.steps, np.concatenate(self.images), self.values[:, :done].copy(), self.seen.copy())

    def finished(self) -> AscentState:
        self.images = [self.image(point.variable) for point in self.points]
        return self.state(self.spec.steps)

    def image(self, variable: Any) -> Any:
        image = self.parametrisation.image(variable)
        return image if self.spec.parametrisation == "fourier" else self.parametrisation.model_input(image)


def _traced(function: Any, graph: Graph, spec: AscentSpec) -> Any:
    """The one trace of a compiled function.

    Raises:
        InvalidParameters: a layer does not take the activations of an image of this size, as a dense layer after a flatten.
    """
    own = tuple(graph.unfolded.inputs[0].shape[1:3])
    try:
        return function.get_concrete_function()
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        if spec.size == own:
            raise
        height, width = own
        allowed = None if None in own else f"{height}×{width}"
        needs = f"the model's own input size, {allowed}" if allowed else "another size, perhaps a multiple of 32"
        raise InvalidParameters(
            f"This target cannot be computed for an image of {spec.size[0]}×{spec.size[1]}: a layer before it needs {needs}.",
            pointer="/params/size",
            allowed=allowed,
            got=str(spec.size[0]),
        ) from error


def _check_position(graph: Graph, spec: AscentSpec, channels: int, compiled: CompiledCache) -> None:
    """Raises `InvalidParameters` where the neuron lies outside the layer's map of an image of this size."""
    path = spec.objective.layer or ""
    signature = [tf.TensorSpec((None, *spec.size, channels), tf.float32)]
    forward = compiled.get(
        ("ascent map", path, spec.size), lambda: tf.function(lambda x: graph.run(x, [path])[path], signature, autograph=False)
    )
    height, width = _traced(forward, graph, spec).structured_outputs.shape[1:3]
    y, x = spec.objective.position or (0, 0)
    if not (y < height and x < width):
        raise InvalidParameters(
            f"Layer '{path}' has a map of {height}×{width} for an image of {spec.size[0]}×{spec.size[1]}: "
            f"neuron's y must be 0 to {height - 1} and x 0 to {width - 1}, got {y} and {x}.",
            pointer="/params/neuron",
            allowed=f"y 0 to {height - 1}, x 0 to {width - 1}",
            got=f"{y}, {x}",
        )
