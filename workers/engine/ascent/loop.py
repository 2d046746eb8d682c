"""Gradient ascent from start to end, in slices between which other jobs may use the device."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf

from schemas.errors import NonFinite
from schemas.models import Preprocessing
from workers.contract.synthesis import AscentSpec, AscentState
from workers.engine.ascent import ascent_step, cost, regularisers, transforms
from workers.engine.ascent.parametrisations import start_values
from workers.engine.ascent.target_checks import check_position, image_shape_of, neurons_of, traced_for_size
from workers.engine.compiled_cache import CompiledCache
from workers.engine.device_speed import device_speed
from workers.engine.graph import Graph
from workers.engine.model_inputs import inputs_with

SLICE_SECONDS = 0.1


def ascend(
    graph: Graph, image_input: str, preprocessing: Preprocessing, spec: AscentSpec, compiled: CompiledCache
) -> Generator[AscentState, None, AscentState]:
    """Run an ascent. Yield the state after every slice of at most about 100 ms and after the steps in `spec.show`; return the last state.

    A slice consists of as many whole steps as fit. If one step of all images takes longer, it consists of as many of its calls, and of
    one at least. What comes before the first step is a slice of its own if it takes as long, for example because it compiles. The
    images of a yielded state are those at which its last objectives were measured; the returned images include the last step.

    Raises:
        UnknownLayer: the model has no such layer.
        InvalidParameters: the target cannot be computed for an image of this size, or has no such position.
        NoGradient: the target does not depend on the input.
        NonFinite: an objective or a gradient is not finite.
        tf.errors.ResourceExhaustedError: there is no memory for even a quarter of the images of a call.
    """
    started, longest = time.monotonic(), 0.0
    run = _AscentRun(graph, image_input, preprocessing, spec, compiled)
    for number in range(spec.steps):
        index = 0
        while index < len(run.chunks):
            if time.monotonic() - started + longest > SLICE_SECONDS:
                yield run.state(number)
                started = time.monotonic()
            called = time.monotonic()
            index += run.advance(number, index)
            if number:  # the first calls compile
                longest = max(longest, time.monotonic() - called)
        if number + 1 in spec.show and number + 1 < spec.steps:
            yield run.state(number + 1)
            started = time.monotonic()
    return run.final_state()


@dataclass
class _ImageChunk:
    """The images that one call advances: `place` is their part of the batch, `images` are those at the last objectives."""

    place: slice
    point: ascent_step.AscentPoint
    images: Any

    def halves(self) -> list[_ImageChunk]:
        middle = (self.place.start + self.place.stop) // 2
        cut = middle - self.place.start
        return [
            self._part(slice(self.place.start, middle), slice(None, cut)),
            self._part(slice(middle, self.place.stop), slice(cut, None)),
        ]

    def _part(self, place: slice, own: slice) -> _ImageChunk:
        return _ImageChunk(place, self.point.part(own), self.images[own])


class _AscentRun:
    """The state of one ascent."""

    def __init__(self, graph: Graph, name: str, preprocessing: Preprocessing, spec: AscentSpec, compiled: CompiledCache) -> None:
        declared_size, channels = image_shape_of(graph, name)
        self.spec = spec
        self.step = compiled.get(
            ascent_step.step_key(spec),
            lambda: traced_for_size(ascent_step.build_step(graph, preprocessing, spec, name, channels), declared_size, spec),
        )
        view = tf.TensorSpec((None, *spec.view, channels), tf.float32)
        for path, position in neurons_of(spec.objective):

            def build(path: str = path) -> Any:
                forward = tf.function(lambda x: graph.run(inputs_with(graph, name, x), [path])[path], [view], autograph=False)
                return traced_for_size(forward, declared_size, spec)

            forward = compiled.get(("ascent map", path, spec.view), build).function.get_concrete_function()
            check_position(spec, path, position, forward.structured_outputs.shape[1:3])
        self.numbers = ascent_step.ascent_numbers(spec, channels)
        self.parametrisation = ascent_step.parametrisation_of(spec, channels, preprocessing, self.numbers.scale, self.numbers.offset)
        self.random_numbers = transforms.random_numbers(spec.transforms, spec.steps, spec.seed)
        self.indices = np.array(spec.objective.indices or (0,), np.int32)
        self.chunks = self._first_chunks(self.step.function.get_concrete_function().graph)
        self.largest_chunk = max(chunk.place.stop - chunk.place.start for chunk in self.chunks)
        self.values = np.zeros((len(self.indices), spec.steps), np.float32)
        self.gradient_seen = np.zeros(len(self.indices), bool)
        sigma = spec.regularisers.blur
        self.blur = tuple(tf.constant(regularisers.blur_matrix(side, sigma)) for side in spec.size) if sigma else None

    def advance(self, number: int, index: int) -> int:
        """Run step `number` for one chunk and return 1; or, for want of memory, halve the chunk (twice at most) and return 0."""
        chunk = self.chunks[index]
        try:
            result: ascent_step.AscentStepResult = self.step(
                chunk.point, np.int32(number), self.indices[chunk.place], self.random_numbers[number], self.numbers
            )
            finite = np.all(result.finite)
        except tf.errors.ResourceExhaustedError:
            images = chunk.place.stop - chunk.place.start
            if images == 1 or 4 * images <= self.largest_chunk or self.spec.objective.diversity:
                raise
            self.chunks[index : index + 1] = chunk.halves()
            return 0
        if not finite:
            raise NonFinite(
                f"The objective or its gradient is not finite at step {number + 1} of {self.spec.steps} "
                f"({self.spec.precision}). A smaller learning_rate, or float32, may help."
            )
        chunk.point, chunk.images = result.point, result.images
        self.values[chunk.place, number] = result.values
        self.gradient_seen[chunk.place] |= result.gradient_seen
        if self.blur and number % regularisers.BLUR_EVERY == regularisers.BLUR_EVERY - 1:
            chunk.point = result.point._replace(variable=regularisers.blur(result.point.variable, *self.blur))
        return 1

    def state(self, done: int) -> AscentState:
        """Return the state after `done` whole steps."""
        images = tuple(chunk.images for chunk in self.chunks)
        return AscentState(done, self.spec.steps, images, self.values[:, :done].copy(), self.gradient_seen.copy())

    def final_state(self) -> AscentState:
        for chunk in self.chunks:
            chunk.images = self._image(chunk.point.reached)
        return self.state(self.spec.steps)

    def _first_chunks(self, step_graph: Any) -> list[_ImageChunk]:
        """Return the images at their start, in chunks; diverse images of one channel are one chunk, since they are compared."""
        spec, together = self.spec, self.spec.objective.diversity > 0
        keys = [index + (number << 32 if together else 0) for number, index in enumerate(self.indices.tolist())]
        variables = start_values(spec.start, self.parametrisation.shape, spec.seed, keys)
        ends = np.cumsum(cost.even_chunks(len(keys), len(keys) if together else cost.images_per_call(step_graph, device_speed())))
        places = [slice(int(start), int(end)) for start, end in pairwise((0, *ends))]
        return [_ImageChunk(place, ascent_step.first_point(spec, variables[place]), self._image(variables[place])) for place in places]

    def _image(self, variable: Any) -> Any:
        image = self.parametrisation.image(variable)
        return self.parametrisation.model_input(image) if self.spec.parametrisation == "pixel" else image
