"""DeepDream: ascent from an image, scale by scale, in which the detail that is lost between scales is put back.

The loop is that of keras.io/examples/generative/deep_dream, step by step (the tests run both), after Mordvintsev et al.,
Inceptionism, 2015. The jitter comes from there too.
"""

from __future__ import annotations

import time
from collections.abc import Generator
from typing import Any

import numpy as np
import tensorflow as tf

from schemas.errors import InvalidParameters, NonFinite
from workers.contract.arrays import Float32
from workers.contract.synthesis import DreamSpec, DreamState
from workers.engine.ascent.dream_step import DreamNumbers, DreamStepResult, build_dream_step
from workers.engine.ascent.loop import SLICE_SECONDS
from workers.engine.compiled_cache import CompiledCache
from workers.engine.graph import Graph


def dream(graph: Graph, image_input: str, spec: DreamSpec, compiled: CompiledCache) -> Generator[DreamState, None, DreamState]:
    """Run a dream. Yield the state after every slice of at most about 250 ms (or one step, if that takes longer); return the last.

    Raises:
        UnknownLayer: the model has no such layer.
        InvalidParameters: an octave is too small for a layer.
        NoGradient: none of the layers depends on the input.
        NonFinite: a loss or a gradient is not finite.
    """
    run = _DreamRun(graph, image_input, spec, compiled)
    original = tf.constant(spec.image[None], tf.float32)
    shrunk = tf.image.resize(original, spec.shapes[0])
    started, longest = time.monotonic(), 0.0
    for octave, shape in enumerate(spec.shapes):
        run.begin_octave(octave, shape)
        for step in range(spec.steps):
            called = time.monotonic()
            goes_on = run.advance()
            if octave or step:  # the first call compiles
                longest = max(longest, time.monotonic() - called)
            if time.monotonic() - started + longest > SLICE_SECONDS:
                yield run.state()
                started = time.monotonic()
            if not goes_on:
                break
        resized = tf.image.resize(original, shape)
        run.image += resized - tf.image.resize(shrunk, shape)
        shrunk = resized
    return run.state()


class _DreamRun:
    """The state of one dream."""

    def __init__(self, graph: Graph, image_input: str, spec: DreamSpec, compiled: CompiledCache) -> None:
        channels = spec.image.shape[-1]
        self.spec = spec
        self.losses: list[list[float]] = []
        self.gradient_seen = False
        self.image: Any = tf.constant(spec.image[None], tf.float32)
        self.paths = tuple(path for path, _ in spec.layers)
        key = ("dream", self.paths, spec.precision)
        self.step = compiled.get(key, lambda: build_dream_step(graph, image_input, self.paths, channels, spec.precision))
        self.numbers = DreamNumbers(
            tf.constant([weight for _, weight in spec.layers], tf.float32),
            tf.constant(spec.step_size, tf.float32),
            *(tf.constant(np.broadcast_to(np.array(numbers, np.float32), channels)) for numbers in (spec.scale, spec.offset)),
        )
        self.shifts = np.random.default_rng(spec.seed).integers(
            -spec.jitter, spec.jitter, (len(spec.shapes), spec.steps, 2), np.int32, endpoint=True
        )

    def begin_octave(self, octave: int, shape: tuple[int, int]) -> None:
        self.image = tf.image.resize(self.image, shape)
        self.octave, self.shape = octave, shape
        self.losses.append([])

    def advance(self) -> bool:
        """Take one step and return whether the octave goes on."""
        spec, losses = self.spec, self.losses[-1]
        try:
            result: DreamStepResult = self.step(self.image, self.shifts[self.octave, len(losses)], self.numbers)
        except (tf.errors.InvalidArgumentError, tf.errors.AbortedError) as error:  # oneDNN raises the latter in a backward pass
            raise self._too_small() from error
        if result.empty:
            raise self._too_small()
        if not result.finite:
            raise NonFinite(
                f"The loss or its gradient is not finite at step {len(losses) + 1} of {spec.steps} of octave {self.octave + 1} "
                f"({spec.precision}). A smaller step_size, or float32, may help."
            )
        self.image = result.image
        self.gradient_seen |= bool(result.gradient_seen)
        losses.append(float(result.loss))
        return spec.max_loss is None or losses[-1] <= spec.max_loss

    def state(self) -> DreamState:
        """Return the state so far. The steps that an octave left out count as taken once it has ended."""
        step = self.octave * self.spec.steps + len(self.losses[-1])
        image: Float32 = self.image[0].numpy()
        return DreamState(step, len(self.spec.shapes) * self.spec.steps, image, tuple(map(tuple, self.losses)), self.gradient_seen)

    def _too_small(self) -> InvalidParameters:
        height, width = self.shape
        return InvalidParameters(
            f"Octave {self.octave + 1} of {len(self.spec.shapes)} is {height}×{width}: not all of {', '.join(self.paths)} can be computed "
            "for an image of this size. Fewer octaves, a smaller octave_scale, earlier layers or a larger photo may help.",
            pointer="/params/octaves",
            got=f"{height}×{width}",
        )
