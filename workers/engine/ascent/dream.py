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
from workers.engine.ascent.dream_step import (
    DreamNumbers,
    DreamStepResult,
    DreamTileResult,
    build_dream_step,
    build_tile_gradient,
    moved_by,
)
from workers.engine.ascent.dream_tiles import TiledGradient, tile_shifts
from workers.engine.ascent.loop import SLICE_SECONDS
from workers.engine.compiled_cache import CompiledCache
from workers.engine.graph import Graph


def dream(graph: Graph, image_input: str, spec: DreamSpec, compiled: CompiledCache) -> Generator[DreamState, None, DreamState]:
    """Run a dream. Yield the state after every slice of at most about 100 ms; return the last.

    If one call takes longer, a slice is one call. A call is a step, or one tile of a step in an octave that is larger than `spec.tile`.

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
        while not run.octave_ended:
            called = time.monotonic()
            if not run.advance():  # the first call of each function compiles
                longest = max(longest, time.monotonic() - called)
            if time.monotonic() - started + longest > SLICE_SECONDS:
                yield run.state()
                started = time.monotonic()
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
        built = (graph, image_input, self.paths, channels, spec.precision)
        self._step = lambda: compiled.get(("dream", self.paths, spec.precision), lambda: build_dream_step(*built))
        self._tile_gradient = lambda: compiled.get(("dream tile", self.paths, spec.precision), lambda: build_tile_gradient(*built))
        self._called: set[bool] = set()
        self.tiled: TiledGradient | None = None
        self.numbers = DreamNumbers(
            tf.constant([weight for _, weight in spec.layers], tf.float32),
            tf.constant(spec.step_size, tf.float32),
            *(tf.constant(np.broadcast_to(np.array(numbers, np.float32), channels)) for numbers in (spec.scale, spec.offset)),
        )
        self.shifts = np.random.default_rng(spec.seed).integers(
            -spec.jitter, spec.jitter, (len(spec.shapes), spec.steps, 2), np.int32, endpoint=True
        )
        self.tile_shifts = tile_shifts(spec.seed, len(spec.shapes), spec.steps, spec.tile or 1)

    def begin_octave(self, octave: int, shape: tuple[int, int]) -> None:
        self.image = tf.image.resize(self.image, shape)
        self.octave, self.shape = octave, shape
        self.losses.append([])
        self.octave_ended = False

    def advance(self) -> bool:
        """Take one step, or one tile of one. Return True if the function that was called had not been called before in this dream."""
        is_tiled = self.spec.tile is not None and max(self.shape) > self.spec.tile
        is_first = is_tiled not in self._called
        self._called.add(is_tiled)
        try:
            if is_tiled:
                self._advance_by_a_tile(self.spec.tile or 0)
            else:
                self._advance_by_a_step()
        except (tf.errors.InvalidArgumentError, tf.errors.AbortedError) as error:  # oneDNN raises the latter in a backward pass
            raise self._too_small() from error
        return is_first

    def _advance_by_a_step(self) -> None:
        result: DreamStepResult = self._step()(self.image, self.shifts[self.octave, len(self.losses[-1])], self.numbers)
        self._check(result.empty, result.finite)
        self._move(result.image, bool(result.gradient_seen), float(result.loss))

    def _advance_by_a_tile(self, most: int) -> None:
        if self.tiled is None:
            self.tiled = TiledGradient(self.image, self.tile_shifts[self.octave, len(self.losses[-1])], most)
        result: DreamTileResult = self._tile_gradient()(self.tiled.next_tile(), self.numbers)
        self._check(result.empty, result.finite)
        self.tiled.put(result)
        if self.tiled.is_complete:
            gradient, loss = self.tiled.whole()
            self._move(moved_by(self.image, gradient, self.numbers.step_size), bool(np.any(gradient.numpy())), loss)
            self.tiled = None

    def _move(self, image: Any, gradient_seen: bool, loss: float) -> None:
        self.image = image
        self.gradient_seen |= gradient_seen
        self.losses[-1].append(loss)
        too_high = self.spec.max_loss is not None and loss > self.spec.max_loss
        self.octave_ended = too_high or len(self.losses[-1]) == self.spec.steps

    def _check(self, empty: Any, finite: Any) -> None:
        if empty:
            raise self._too_small()
        if not finite:
            raise NonFinite(
                f"The loss or its gradient is not finite at step {len(self.losses[-1]) + 1} of {self.spec.steps} of octave "
                f"{self.octave + 1} ({self.spec.precision}). A smaller step_size, or float32, may help."
            )

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
