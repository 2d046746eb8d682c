"""Gradient ascent from start to end, in slices between which the device is free for others."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf

from schemas.errors import InvalidParameters, NonFinite
from schemas.models import Preprocessing
from workers.contract.synthesis import AscentSpec, AscentState, Objective
from workers.engine.ascent import cost, regularisers, step, transforms
from workers.engine.ascent.parametrisations import starts
from workers.engine.compiled import CompiledCache
from workers.engine.graph import Graph
from workers.engine.inputs import inputs_with

SLICE_SECONDS = 0.25


def ascend(
    graph: Graph, preprocessing: Preprocessing, spec: AscentSpec, compiled: CompiledCache
) -> Generator[AscentState, None, AscentState]:
    """Runs `spec`; yields after every slice of about 250 ms at most and after the steps to be shown, and returns the last state.

    A slice is as many whole steps as fit; where one step of all images takes longer, as many of its calls. The images of a state
    are those that its last objectives were taken at; the returned ones have the last step behind them.

    Raises:
        InvalidParameters: the target cannot be computed for an image of this size, or has no such position.
        NoGradient: the target does not depend on the input.
        NonFinite: an objective or a gradient is not a number.
        tf.errors.ResourceExhaustedError: not even a quarter of the images of a call find room.
    """
    run = _Run(graph, preprocessing, spec, compiled)
    started, longest = time.monotonic(), 0.0
    for number in range(spec.steps):
        index = 0
        while index < len(run.chunks):
            if (number or index) and time.monotonic() - started + longest > SLICE_SECONDS:
                yield run.state(number)
                started = time.monotonic()
            called = time.monotonic()
            index += run.advance(number, index)
            if number:  # the first calls compile
                longest = max(longest, time.monotonic() - called)
        if number + 1 in spec.show and number + 1 < spec.steps:
            yield run.state(number + 1)
            started = time.monotonic()
    return run.finished()


@dataclass
class _Chunk:
    """Images that are advanced by one call: `place` is theirs in the batch, `images` are those of the last objectives."""

    place: slice
    point: step.Point
    images: Any

    def halves(self) -> list[_Chunk]:
        middle = (self.place.start + self.place.stop) // 2
        cut = middle - self.place.start
        parts = (slice(self.place.start, middle), slice(None, cut)), (slice(middle, self.place.stop), slice(cut, None))
        return [
            _Chunk(place, step.Point(self.point.variable[part], tuple(moment[part] for moment in self.point.moments)), self.images[part])
            for place, part in parts
        ]


class _Run:
    def __init__(self, graph: Graph, preprocessing: Preprocessing, spec: AscentSpec, compiled: CompiledCache) -> None:
        name, own, channels = _image_input(graph)
        self.spec = spec
        self.step = compiled.get(step.key(spec), lambda: step.build(graph, preprocessing, spec, name, channels))
        traced = _traced(self.step, own, spec)
        image = tf.TensorSpec((None, *spec.view, channels), tf.float32)
        for path, position in _neurons(spec.objective):
            forward = compiled.get(
                ("ascent map", path, spec.view),
                lambda path=path: tf.function(lambda x: graph.run(inputs_with(graph, name, x), [path])[path], [image], autograph=False),
            )
            _check_position(spec, path, position, _traced(forward, own, spec).structured_outputs.shape[1:3])
        self.settings = step.settings(spec, channels)
        self.parametrisation = step.parametrisation(spec, channels, preprocessing, self.settings.scale, self.settings.offset)
        self.draws = transforms.draws(spec.transforms, spec.steps, spec.seed)
        self.indices = np.array(spec.objective.indices or (0,), np.int32)
        together = spec.objective.diversity > 0
        keys = [index + (number << 32 if together else 0) for number, index in enumerate(self.indices.tolist())]
        begin = starts(spec.start, self.parametrisation.shape, spec.seed, keys)
        ends = np.cumsum(cost.chunks(len(keys), len(keys) if together else cost.images_per_call(traced.graph)))
        places = [slice(int(start), int(end)) for start, end in pairwise((0, *ends))]
        self.largest = max(place.stop - place.start for place in places)
        self.chunks = [_Chunk(place, step.beginning(spec, begin[place]), self.image(begin[place])) for place in places]
        self.values = np.zeros((len(self.indices), spec.steps), np.float32)
        self.seen = np.zeros(len(self.indices), bool)
        sigma = spec.regularisers.blur
        self.blur = tuple(tf.constant(regularisers.blur_matrix(side, sigma)) for side in spec.size) if sigma else None

    def advance(self, number: int, index: int) -> int:
        """Step `number` of chunk `index`; 1 when it is done, 0 when the chunk was halved for want of memory, twice at most."""
        chunk = self.chunks[index]
        try:
            result: step.Step = self.step(chunk.point, np.int32(number), self.indices[chunk.place], self.draws[number], self.settings)
            finite = np.all(result.finite)
        except tf.errors.ResourceExhaustedError:
            images = chunk.place.stop - chunk.place.start
            if images == 1 or 4 * images <= self.largest or self.spec.objective.diversity:
                raise
            self.chunks[index : index + 1] = chunk.halves()
            return 0
        if not finite:
            raise NonFinite(
                f"The objective or its gradient is not a number at step {number + 1} of {self.spec.steps} "
                f"({self.spec.precision}). A smaller learning_rate, or float32, may help."
            )
        chunk.point, chunk.images = result.point, result.images
        self.values[chunk.place, number] = result.values
        self.seen[chunk.place] |= result.seen
        if self.blur and number % regularisers.BLUR_EVERY == regularisers.BLUR_EVERY - 1:
            chunk.point = result.point._replace(variable=regularisers.blur(result.point.variable, *self.blur))
        return 1

    def state(self, done: int) -> AscentState:
        images = np.concatenate([chunk.images for chunk in self.chunks])
        return AscentState(done, self.spec.steps, images, self.values[:, :done].copy(), self.seen.copy())

    def finished(self) -> AscentState:
        for chunk in self.chunks:
            chunk.images = self.image(chunk.point.variable)
        return self.state(self.spec.steps)

    def image(self, variable: Any) -> Any:
        image = self.parametrisation.image(variable)
        return self.parametrisation.model_input(image) if self.spec.parametrisation == "pixel" else image


def _image_input(graph: Graph) -> tuple[str, tuple[int | None, int | None], int]:
    """Name, (height, width) and channels of the model's first input that takes images.

    Raises:
        InvalidParameters: there is none.
    """
    for name, tensor in zip(graph.input_names, graph.unfolded.inputs, strict=True):
        if len(tensor.shape) == 4:
            _, height, width, channels = tensor.shape
            return name, (height, width), channels
    raise InvalidParameters(f"Model '{graph.model.name}' has no image input (N, H, W, C) to ascend in.", pointer="/model")


def _traced(function: Any, own: tuple[int | None, int | None], spec: AscentSpec) -> Any:
    """The one trace of a compiled function; `own` is the input size that the model declares.

    Raises:
        InvalidParameters: a layer does not take the activations of an image of this size, as a dense layer after a flatten.
    """
    try:
        return function.get_concrete_function()
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        if spec.view == own:
            raise
        allowed = None if None in own else f"{own[0]}×{own[1]}"
        needs = f"the model's own input size, {allowed}" if allowed else "another size, perhaps a multiple of 32"
        raise InvalidParameters(
            f"This target cannot be computed for an image of {spec.view[0]}×{spec.view[1]}: a layer before it needs {needs}.",
            pointer="/params/size",
            allowed=allowed,
            got=str(spec.view[0]),
        ) from error


def _neurons(objective: Objective) -> list[tuple[str, tuple[int, int]]]:
    """Layer and position of the neurons that the objective is about."""
    if objective.kind == "neuron":
        return [(objective.layer or "", objective.position or (0, 0))]
    return [(term.layer or "", term.position) for term in objective.terms if term.position is not None]


def _check_position(spec: AscentSpec, path: str, position: tuple[int, int], map_size: tuple[int, int]) -> None:
    """Raises `InvalidParameters` where the neuron lies outside the layer's map of an image of this size."""
    (height, width), (y, x) = map_size, position
    if not (y < height and x < width):
        raise InvalidParameters(
            f"Layer '{path}' has a map of {height}×{width} for an image of {spec.view[0]}×{spec.view[1]}: "
            f"neuron's y must be 0 to {height - 1} and x 0 to {width - 1}, got {y} and {x}.",
            pointer="/params/neuron" if spec.objective.kind == "neuron" else "/params/objectives",
            allowed=f"y 0 to {height - 1}, x 0 to {width - 1}",
            got=f"{y}, {x}",
        )
