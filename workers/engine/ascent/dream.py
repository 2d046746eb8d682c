"""DeepDream: ascent from a photo, scale by scale, the detail lost between scales put back.

The loop is that of keras.io/examples/generative/deep_dream, step by step (the tests run it beside this one), after Mordvintsev et
al., Inceptionism, 2015, whose jitter is here as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from schemas.errors import InvalidParameters, NoGradient, NonFinite
from workers.contract.arrays import Float32
from workers.contract.synthesis import DreamSpec, DreamState
from workers.engine.ascent.loop import SLICE_SECONDS
from workers.engine.compiled import CompiledCache
from workers.engine.graph import Graph
from workers.engine.inputs import inputs_with

BORDER = 2  # positions of each map's border that the loss leaves out; of a map smaller than 5 as many as leave it one


class Settings(NamedTuple):
    """What differs between runs of one compiled step: the layers' weights (L,), the step's length (), scale and offset (C,)."""

    weights: Any
    step_size: Any
    scale: Any
    offset: Any


class Step(NamedTuple):
    """Image (1, h, w, C) after the step; loss () before it; `seen` (): any gradient that is not 0; `finite` (); `empty` (): a layer
    has no position at this size."""

    image: Any
    loss: Any
    seen: Any
    finite: Any
    empty: Any


def dream(graph: Graph, image_input: str, spec: DreamSpec, compiled: CompiledCache) -> Generator[DreamState, None, DreamState]:
    """Runs `spec`; yields after every slice of about 250 ms at most, or every step where that takes longer.

    Raises:
        UnknownLayer
        InvalidParameters: an octave is too small for a layer.
        NoGradient: none of the layers depends on the input.
        NonFinite: a loss or a gradient is not a number.
    """
    run = _Run(graph, image_input, spec, compiled)
    photo = tf.constant(spec.image[None], tf.float32)
    shrunk = tf.image.resize(photo, spec.shapes[0])
    started, longest = time.monotonic(), 0.0
    for octave, shape in enumerate(spec.shapes):
        run.begin(octave, shape)
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
        shown = tf.image.resize(photo, shape)
        run.image += shown - tf.image.resize(shrunk, shape)
        shrunk = shown
    return run.state()


@dataclass
class _Run:
    graph: Graph
    image_input: str
    spec: DreamSpec
    compiled: CompiledCache
    losses: list[list[float]] = field(default_factory=list)
    seen: bool = False

    def __post_init__(self) -> None:
        spec = self.spec
        channels = spec.image.shape[-1]
        self.image: Any = tf.constant(spec.image[None], tf.float32)
        self.paths = tuple(path for path, _ in spec.layers)
        key = ("dream", self.paths, spec.precision)
        self.step = self.compiled.get(key, lambda: build(self.graph, self.image_input, self.paths, channels, spec.precision))
        self.settings = Settings(
            tf.constant([weight for _, weight in spec.layers], tf.float32),
            tf.constant(spec.step_size, tf.float32),
            *(tf.constant(np.broadcast_to(np.array(numbers, np.float32), channels)) for numbers in (spec.scale, spec.offset)),
        )
        self.draws = np.random.default_rng(spec.seed).integers(
            -spec.jitter, spec.jitter, (len(spec.shapes), spec.steps, 2), np.int32, endpoint=True
        )

    def begin(self, octave: int, shape: tuple[int, int]) -> None:
        self.image = tf.image.resize(self.image, shape)
        self.octave, self.shape = octave, shape
        self.losses.append([])

    def advance(self) -> bool:
        """One step; whether the octave goes on."""
        spec, losses = self.spec, self.losses[-1]
        try:
            step: Step = self.step(self.image, self.draws[self.octave, len(losses)], self.settings)
        except (tf.errors.InvalidArgumentError, tf.errors.AbortedError) as error:  # the latter is oneDNN's, of a backward pass
            raise self._too_small() from error
        if step.empty:
            raise self._too_small()
        if not step.finite:
            raise NonFinite(
                f"The loss or its gradient is not a number at step {len(losses) + 1} of {spec.steps} of octave {self.octave + 1} "
                f"({spec.precision}). A smaller step_size, or float32, may help."
            )
        self.image = step.image
        self.seen |= bool(step.seen)
        losses.append(float(step.loss))
        return spec.max_loss is None or losses[-1] <= spec.max_loss

    def state(self) -> DreamState:
        """Steps that an octave did not take count as taken once it has ended."""
        step = self.octave * self.spec.steps + len(self.losses[-1])
        image: Float32 = self.image[0].numpy()
        return DreamState(step, len(self.spec.shapes) * self.spec.steps, image, tuple(map(tuple, self.losses)), self.seen)

    def _too_small(self) -> InvalidParameters:
        height, width = self.shape
        return InvalidParameters(
            f"Octave {self.octave + 1} of {len(self.spec.shapes)} is {height}×{width}: not all of {', '.join(self.paths)} can be computed "
            "for an image of this size. Fewer octaves, a smaller octave_scale, earlier layers or a larger photo may help.",
            pointer="/params/octaves",
            got=f"{height}×{width}",
        )


def build(graph: Graph, image_input: str, paths: tuple[str, ...], channels: int, precision: str) -> Callable[..., Step]:
    """`step(image, shift, settings) → Step`, compiled once for images of any size.

    Raises (when it is traced):
        NoGradient: none of the layers depends on the input.
    """
    fast = graph.fast(paths, precision=precision)

    def step(image: Any, shift: Any, given: Settings) -> Step:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(image)
            x = tf.roll(image, shift, axis=(1, 2)) * given.scale + given.offset
            maps = graph.run(inputs_with(graph, image_input, x), paths, fast)
            loss = loss_of([maps[path] for path in paths], given.weights)
        gradient = tape.gradient(loss, image)
        if gradient is None:
            raise NoGradient(f"None of the layers {', '.join(paths)} depends on the input.")
        finite = tf.reduce_all(tf.math.is_finite(gradient)) & tf.math.is_finite(loss)
        moved = image + given.step_size * gradient / tf.maximum(tf.reduce_mean(tf.abs(gradient)), 1e-6)
        empty = tf.reduce_any(tf.stack([tf.size(maps[path]) == 0 for path in paths]))
        return Step(moved, loss, tf.reduce_any(gradient != 0), finite, empty)

    colours = tf.TensorSpec((channels,), tf.float32)
    signature = (
        tf.TensorSpec((1, None, None, channels), tf.float32),
        tf.TensorSpec((2,), tf.int32),
        Settings(tf.TensorSpec((len(paths),), tf.float32), tf.TensorSpec((), tf.float32), colours, colours),
    )
    return tf.function(step, input_signature=signature, autograph=False)


def loss_of(maps: list[Any], weights: Any) -> Any:
    """Σ weight · Σ squares within the border / values of the whole map, of maps (1, h, w, K): ()."""
    return tf.reduce_sum(weights * tf.stack([_energy(tf.cast(values, tf.float32)) for values in maps]))


def _energy(values: Any) -> Any:
    height, width = tf.shape(values)[1], tf.shape(values)[2]
    top, left = tf.minimum(BORDER, (height - 1) // 2), tf.minimum(BORDER, (width - 1) // 2)
    inner = values[:, top : height - top, left : width - left]
    return tf.reduce_sum(tf.square(inner)) / tf.cast(tf.size(values), tf.float32)
