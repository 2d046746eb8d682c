"""One step of ascent as one compiled function with a free batch axis."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from schemas.errors import NoGradient
from schemas.models import Preprocessing
from workers.contract.arrays import Float32
from workers.contract.synthesis import AscentSpec
from workers.engine.ascent import optimizers, regularisers, transforms
from workers.engine.ascent.diversity import diverse_of
from workers.engine.ascent.objectives import aim, values_of
from workers.engine.ascent.parametrisations import Fourier, Parametrisation, Phase, Pixel, preprocess
from workers.engine.ascent.sums import shape_of, sum_of
from workers.engine.graph import Graph


class Settings(NamedTuple):
    """What differs between runs of one compiled step, as tensors: learning rate (); weights of `regularisers.kinds` (k,); the
    objective's `aim`; the pixel parametrisation's scale and offset (C,); σ of the noise ()."""

    learning_rate: Any
    weights: Any
    aim: Any
    scale: Any
    offset: Any
    noise: Any


class Point(NamedTuple):
    """Where n images are: their variables (n, …), and what the optimiser keeps, tensors of the same shape."""

    variable: Any
    moments: tuple[Any, ...]


class Step(NamedTuple):
    """Of n images: the point after the step; images (n, H, W, C) and objectives (n,) before it; `seen` (n,), whether any gradient
    of the objective is not zero; `finite` (n,), whether objective and gradient are."""

    point: Point
    images: Any
    values: Any
    seen: Any
    finite: Any


def key(spec: AscentSpec) -> Hashable:
    """What a compiled step depends on; the rest of the spec is `settings`, start, draws and channel indices."""
    goal, moves = spec.objective, spec.transforms
    return (
        "ascent",
        (goal.kind, goal.layer, goal.margin, goal.probability, goal.diversity > 0, aim(goal).shape, shape_of(goal), spec.redirect),
        (spec.parametrisation, spec.size, spec.optimizer, spec.gradient_norm, spec.precision),
        (moves.pad, moves.jitter > 0, transforms.is_affine(moves), moves.crop is not None, spec.view, moves.noise > 0),
        regularisers.kinds(spec.regularisers),
    )


def settings(spec: AscentSpec, channels: int) -> Settings:
    """The tensors of `Settings` for `spec`."""
    return Settings(
        tf.constant(spec.learning_rate, tf.float32),
        tf.constant(regularisers.weights(spec.regularisers)),
        tf.constant(aim(spec.objective)),
        tf.constant(np.broadcast_to(np.array(spec.scale, np.float32), channels)),
        tf.constant(np.broadcast_to(np.array(spec.offset, np.float32), channels)),
        tf.constant(spec.transforms.noise, tf.float32),
    )


def parametrisation(spec: AscentSpec, channels: int, preprocessing: Preprocessing, scale: Any, offset: Any) -> Parametrisation:
    if spec.parametrisation == "fourier":
        return Fourier(spec.size, channels, preprocessing)
    if spec.parametrisation == "phase":
        return Phase(spec.size, channels, preprocessing)
    return Pixel(spec.size, channels, scale, offset)


def build(graph: Graph, preprocessing: Preprocessing, spec: AscentSpec, image_input: str, channels: int) -> Callable[..., Step]:
    """`step(point, number, indices, draw, settings) → Step`, compiled once for all of a key's runs.

    Raises (when it is traced):
        NoGradient: the target does not depend on the input, or not in a differentiable way.
    """
    found = {"sum": sum_of}.get(spec.objective.kind, diverse_of if spec.objective.diversity else values_of)
    values_at = found(graph, spec.objective, image_input, redirect=spec.redirect, precision=spec.precision)
    moves, penalties = spec.transforms, regularisers.kinds(spec.regularisers)
    moved = moves.jitter > 0 or transforms.is_affine(moves)
    grey, fill = middle_grey(preprocessing, channels), mean_colour(preprocessing, channels)
    full_range = preprocess(np.ones(channels, np.float32), preprocessing) - preprocess(np.zeros(channels, np.float32), preprocessing)

    def step(point: Point, number: Any, indices: Any, draw: Any, given: Settings) -> Step:
        variable, moments = point
        shape = parametrisation(spec, channels, preprocessing, given.scale, given.offset)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variable)
            image = shape.image(variable)
            x = shape.model_input(image)
            shown = transforms.apply(x, draw, fill, pad=moves.pad, affine=transforms.is_affine(moves)) if moved else tf.identity(x)
            if moves.crop:
                shown = transforms.part(shown, draw, spec.view)
            if moves.noise:
                shown += transforms.noise(draw, given.noise * full_range, (*spec.view, channels))
            values = values_at(shown, indices, given.aim)
            score = tf.reduce_sum(values)
            if penalties:
                score -= tf.reduce_sum(regularisers.penalty(penalties, given.weights, x, grey))
        gradient, through_model = tape.gradient(score, [variable, shown])
        if through_model is None:
            raise NoGradient(_no_gradient(spec))
        image = x if spec.parametrisation == "pixel" else image
        axes = tuple(range(1, len(variable.shape)))
        finite = tf.reduce_all(tf.math.is_finite(gradient), axis=axes) & tf.math.is_finite(values)
        seen = tf.reduce_any(through_model != 0, axis=(1, 2, 3))
        if spec.optimizer == "adam":
            scaled = optimizers.normalised(gradient, spec.gradient_norm)
            variable, moments = optimizers.adam(variable, scaled, moments, number, given.learning_rate)
        else:
            variable += given.learning_rate * optimizers.normalised(gradient, spec.gradient_norm)
        return Step(Point(variable, moments), image, values, seen, finite)

    goal = aim(spec.objective)
    variable = tf.TensorSpec((None, *parametrisation(spec, channels, preprocessing, 1.0, 0.0).shape), tf.float32)
    signature = (
        Point(variable, (variable,) * moment_count(spec)),
        tf.TensorSpec((), tf.int32),
        tf.TensorSpec((None,), tf.int32),
        tf.TensorSpec((transforms.DRAWS,), tf.float32),
        Settings(
            tf.TensorSpec((), tf.float32),
            tf.TensorSpec((len(penalties),), tf.float32),
            tf.TensorSpec(goal.shape, goal.dtype),
            tf.TensorSpec((channels,), tf.float32),
            tf.TensorSpec((channels,), tf.float32),
            tf.TensorSpec((), tf.float32),
        ),
    )
    return tf.function(step, input_signature=signature, autograph=False)


def moment_count(spec: AscentSpec) -> int:
    return 2 if spec.optimizer == "adam" else 0


def beginning(spec: AscentSpec, variable: Float32) -> Point:
    """The point before the first step."""
    return Point(tf.constant(variable), (tf.zeros(variable.shape),) * moment_count(spec))


def middle_grey(preprocessing: Preprocessing, channels: int) -> Float32:
    """(C,): mid-grey as the model sees it."""
    return preprocess(np.full(channels, 0.5, np.float32), preprocessing)


def mean_colour(preprocessing: Preprocessing, channels: int) -> Float32:
    """(C,): the mean that the preprocessing takes off, which is 0 to the model; mid-grey where it takes off none."""
    return np.zeros(channels, np.float32) if any(preprocessing.mean) else middle_grey(preprocessing, channels)


def _no_gradient(spec: AscentSpec) -> str:
    names = {"class": "The class score", "sum": "The sum of objectives"}
    target = names.get(spec.objective.kind, f"Layer '{spec.objective.layer}'")
    return f"{target} has no gradient with respect to the input: it does not depend on it, or an operation in between has none."
