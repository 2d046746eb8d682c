"""Turn the description of an objective into a function of the model's input, and into the numbers that this function is given."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
from numpy.typing import NDArray

from workers.contract.synthesis import Objective
from workers.engine.ascent.diversity import diverse_objective
from workers.engine.ascent.objective_formulas import ObjectiveFunction
from workers.engine.ascent.single_objective import single_objective
from workers.engine.ascent.weighted_sum import weighted_sum
from workers.engine.graph import Graph


def objective_function(graph: Graph, objective: Objective, image_input: str, *, redirect: bool, precision: str) -> ObjectiveFunction:
    """Return the objective as a function of the model's input `image_input`. Call this outside of a `tf.function`, the result inside.

    Raises:
        UnknownLayer: the model has no such layer.
    """
    single = diverse_objective if objective.diversity else single_objective
    build = weighted_sum if objective.kind == "sum" else single
    return build(graph, objective, image_input, redirect=redirect, precision=precision)


def objective_numbers(objective: Objective) -> NDArray[np.generic]:
    """Return the numbers that may differ between two runs of one compiled step, beside channels and classes.

    These are the weight of diversity, float32 (1,); or the index, weight, y and x of each of t terms of a sum, float32 (t, 4);
    or the features to reach, of the layer's shape; or the directions in the layer's channels, float32 (d, K); or the position (y, x) of a
    neuron, int32 (2,), which other objectives ignore.
    """
    if objective.diversity:
        return np.array([objective.diversity], np.float32)
    if objective.terms:
        return np.array([(term.index, term.weight, *(term.position or (0, 0))) for term in objective.terms], np.float32)
    if objective.directions is not None:
        return objective.directions
    return np.array(objective.position or (0, 0), np.int32) if objective.features is None else objective.features


def compiled_form(objective: Objective) -> Hashable:
    """Return what the compiled function of an objective depends on: all of it but the numbers, channels and classes."""
    terms = tuple((term.kind, term.layer) for term in objective.terms)
    shape = objective_numbers(objective).shape
    return objective.kind, objective.layer, objective.margin, objective.probability, objective.diversity > 0, objective.power, shape, terms
