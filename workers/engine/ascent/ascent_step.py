"""One step of gradient ascent as one compiled function with a free batch axis."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from schemas.errors import NoGradient
from schemas.models import Preprocessing
from workers.contract.arrays import Float32
from workers.contract.synthesis import AscentSpec
from workers.engine.ascent import lbfgs, optimizers, regularisers, transforms
from workers.engine.ascent.objective_functions import compiled_form, objective_function, objective_numbers
from workers.engine.ascent.parametrisations import Fourier, Parametrisation, Phase, Pixel, preprocess
from workers.engine.graph import Graph


class AscentNumbers(NamedTuple):
    """The tensors that may differ between two runs of one compiled step.

    These are the learning rate (), the weights of the k penalties (k,), the objective's numbers
    (`objective_functions.objective_numbers`), the scale and offset of the pixel parametrisation (C,), and the σ of the noise ().
    """

    learning_rate: Any
    weights: Any
    objective: Any
    scale: Any
    offset: Any
    noise: Any


class AscentPoint(NamedTuple):
    """The state of the ascent of n images: their variables (n, …), and the optimiser's own tensors, whose first axis is n."""

    variable: Any
    moments: tuple[Any, ...]

    @property
    def reached(self) -> Any:
        """The variables (n, …) that the ascent has reached. With L-BFGS, the present ones are only a trial."""
        return self.moments.taken if isinstance(self.moments, lbfgs.LbfgsState) else self.variable

    def part(self, own: slice) -> AscentPoint:
        """Return the point of a part of the images."""
        return tf.nest.map_structure(lambda tensor: tensor[own], self)


class AscentStepResult(NamedTuple):
    """The point after the step; the images (n, H, W, C) and the objective (n,) before it.

    `gradient_seen` (n,) says whether any gradient of the objective is not 0; `finite` (n,) says whether objective and gradient are
    finite.
    """

    point: AscentPoint
    images: Any
    values: Any
    gradient_seen: Any
    finite: Any


def step_key(spec: AscentSpec) -> Hashable:
    """Return everything that a compiled step depends on. The rest of `spec` is given to it as arguments."""
    moves = spec.transforms
    return (
        "ascent",
        (compiled_form(spec.objective), spec.redirect),
        (spec.parametrisation, spec.size, spec.optimizer, spec.gradient_norm, spec.precision),
        (moves.pad, moves.jitter > 0, transforms.is_affine(moves), moves.crop is not None, spec.view, moves.noise > 0),
        regularisers.penalties_in_use(spec.regularisers),
    )


def ascent_numbers(spec: AscentSpec, channels: int) -> AscentNumbers:
    """Return the tensors that a step gets for `spec`; `channels` is C of the model's input."""
    return AscentNumbers(
        tf.constant(spec.learning_rate, tf.float32),
        tf.constant(regularisers.penalty_weights(spec.regularisers)),
        tf.constant(objective_numbers(spec.objective)),
        tf.constant(np.broadcast_to(np.array(spec.scale, np.float32), channels)),
        tf.constant(np.broadcast_to(np.array(spec.offset, np.float32), channels)),
        tf.constant(spec.transforms.noise, tf.float32),
    )


def parametrisation_of(spec: AscentSpec, channels: int, preprocessing: Preprocessing, scale: Any, offset: Any) -> Parametrisation:
    """Return the parametrisation that `spec` names; only pixels use `scale` and `offset`."""
    if spec.parametrisation == "fourier":
        return Fourier(spec.size, channels, preprocessing)
    if spec.parametrisation == "phase":
        return Phase(spec.size, channels, preprocessing)
    return Pixel(spec.size, channels, scale, offset)


def build_step(
    graph: Graph, preprocessing: Preprocessing, spec: AscentSpec, image_input: str, channels: int
) -> Callable[..., AscentStepResult]:
    """Return `step(point, number, indices, random_numbers, given) → AscentStepResult`, compiled once for all runs of a key.

    Raises (when it is traced):
        NoGradient: the objective does not depend on the input, or an operation in between is not differentiable.
    """
    objective_at = objective_function(graph, spec.objective, image_input, redirect=spec.redirect, precision=spec.precision)
    penalties = regularisers.penalties_in_use(spec.regularisers)
    grey = middle_grey(preprocessing, channels)
    view_of = _build_view(preprocessing, spec, channels)

    def step(point: AscentPoint, number: Any, indices: Any, random_numbers: Any, given: AscentNumbers) -> AscentStepResult:
        variable, moments = point
        parametrisation = parametrisation_of(spec, channels, preprocessing, given.scale, given.offset)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variable)
            image = parametrisation.image(variable)
            x = parametrisation.model_input(image)
            view = view_of(x, random_numbers, given.noise)
            values = objective_at(view, indices, given.objective)
            score = values
            if penalties:
                score -= regularisers.penalty(penalties, given.weights, x, grey)
        gradient, gradient_at_view = tape.gradient(score, [variable, view])
        if gradient_at_view is None:
            raise NoGradient(_no_gradient_message(spec))
        image = x if spec.parametrisation == "pixel" else image
        axes = tuple(range(1, len(variable.shape)))
        finite = tf.reduce_all(tf.math.is_finite(gradient), axis=axes) & tf.math.is_finite(values)
        gradient_seen = tf.reduce_any(gradient_at_view != 0, axis=(1, 2, 3))
        if spec.optimizer == "adam":
            scaled = optimizers.normalised(gradient, spec.gradient_norm)
            variable, moments = optimizers.adam(variable, scaled, moments, number, given.learning_rate)
        elif isinstance(moments, lbfgs.LbfgsState):
            measured = lbfgs.Measured(score, gradient, values, finite)
            variable, moments = lbfgs.next_trial(variable, measured, moments, number, given.learning_rate)
            values, finite = moments.value, finite | (number > 0)  # later, a trial that is not finite is only refused
        else:
            variable += given.learning_rate * optimizers.normalised(gradient, spec.gradient_norm)
        return AscentStepResult(AscentPoint(variable, moments), image, values, gradient_seen, finite)

    return tf.function(step, input_signature=_signature(spec, channels, preprocessing), autograph=False)


def first_point(spec: AscentSpec, variable: Float32) -> AscentPoint:
    """Return the point before the first step."""
    first = tf.constant(variable)
    if spec.optimizer == "lbfgs":
        return AscentPoint(first, lbfgs.first_state(first))
    return AscentPoint(first, (tf.zeros(variable.shape),) * _moment_count(spec))


def middle_grey(preprocessing: Preprocessing, channels: int) -> Float32:
    """Return mid-grey (C,) in the units of the model's input."""
    return preprocess(np.full(channels, 0.5, np.float32), preprocessing)


def mean_colour(preprocessing: Preprocessing, channels: int) -> Float32:
    """Return the mean (C,) that the preprocessing subtracts, which is 0 in the model's input, or mid-grey if it subtracts none."""
    return np.zeros(channels, np.float32) if any(preprocessing.mean) else middle_grey(preprocessing, channels)


def _build_view(preprocessing: Preprocessing, spec: AscentSpec, channels: int) -> Callable[[Any, Any, Any], Any]:
    """Return `(x, random_numbers, σ) → view`: what the model sees of its input after this step's transforms, (n, *spec.view, C)."""
    moves = spec.transforms
    affine = transforms.is_affine(moves)
    moved = moves.jitter > 0 or affine
    fill = mean_colour(preprocessing, channels)
    full_range = preprocess(np.ones(channels, np.float32), preprocessing) - preprocess(np.zeros(channels, np.float32), preprocessing)

    def view_of(x: Any, random_numbers: Any, sigma: Any) -> Any:
        view = transforms.move(x, random_numbers, fill, pad=moves.pad, affine=affine) if moved else tf.identity(x)
        if moves.crop:
            view = transforms.crop(view, random_numbers, spec.view)
        if moves.noise:
            view += transforms.noise(random_numbers, sigma * full_range, (*spec.view, channels))
        return view

    return view_of


def _signature(spec: AscentSpec, channels: int, preprocessing: Preprocessing) -> tuple[Any, ...]:
    numbers = objective_numbers(spec.objective)
    variable = tf.TensorSpec((None, *parametrisation_of(spec, channels, preprocessing, 1.0, 0.0).shape), tf.float32)
    return (
        AscentPoint(variable, lbfgs.state_spec(variable) if spec.optimizer == "lbfgs" else (variable,) * _moment_count(spec)),
        tf.TensorSpec((), tf.int32),
        tf.TensorSpec((None,), tf.int32),
        tf.TensorSpec((transforms.NUMBERS_PER_STEP,), tf.float32),
        AscentNumbers(
            tf.TensorSpec((), tf.float32),
            tf.TensorSpec((len(regularisers.penalties_in_use(spec.regularisers)),), tf.float32),
            tf.TensorSpec(numbers.shape, numbers.dtype),
            tf.TensorSpec((channels,), tf.float32),
            tf.TensorSpec((channels,), tf.float32),
            tf.TensorSpec((), tf.float32),
        ),
    )


def _moment_count(spec: AscentSpec) -> int:
    return 2 if spec.optimizer == "adam" else 0


def _no_gradient_message(spec: AscentSpec) -> str:
    names = {"class": "The class score", "sum": "The sum of objectives"}
    target = names.get(spec.objective.kind, f"Layer '{spec.objective.layer}'")
    return f"{target} has no gradient with respect to the input: it does not depend on it, or an operation in between has none."
