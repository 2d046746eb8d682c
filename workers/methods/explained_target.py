"""Targets other than one class: before a method runs, they take the place of the classes of its model.

Each job's target becomes a weighted sum of values of the model, with weights of its own. The method then explains "class" i of the probe
that it gets, where i is the number of the job in its batch, and needs to know nothing of targets.
"""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from rendering.photo import Photo
from schemas.errors import InternalError
from schemas.methods.facts import Facts
from schemas.methods.target_class import TargetClassParams
from schemas.methods.targets import ActivationTarget, DifferenceTarget, ElementTarget, OtherTarget, RegionTarget
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.contract.method import Implementation
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.contract.scores import Readout
from workers.methods.map_places import photo_under
from workers.methods.target_weights import (
    WeightedTarget,
    activation_weights,
    class_number,
    difference_weights,
    element_weights,
    region_weights,
    similarity_weights,
)

_OF_A_CLASS = ("class_index", "label", "logit", "probability", "head")
_Params = TypeVar("_Params", bound=TargetClassParams)


def explaining_targets(method: Implementation) -> Implementation:
    """Return a method that explains classes as a method that explains every target."""

    def run(probe: Probe, inputs: Inputs, params: Sequence[Any]) -> Any:
        explaining, jobs = with_targets(probe, inputs, params)
        return method.run(explaining, inputs, jobs)

    def run_slowly(probe: Probe, inputs: Inputs, params: Any) -> Generator[Slice, None, Any]:
        probe, (params,) = with_targets(probe, inputs, [params])
        return (yield from method.run(probe, inputs, params))

    def draw(result: Any, photo: Photo | None, params: Any) -> Output:
        output = method.draw(result, photo, params)
        return output if params.other_target is None else replace(output, facts=_facts_of_target(output.facts))

    def batch_key(params: Any) -> Hashable:
        target = params.other_target
        return method.batch_key(params), None if target is None else (target.model_dump_json(), params.explained_score)

    return replace(method, run=run if method.lane == "fast" else run_slowly, draw=draw, batch_key=batch_key)


def with_targets(probe: Probe, inputs: Inputs, params: Sequence[_Params]) -> tuple[Probe, list[_Params]]:
    """Return a probe and parameters with which a method explains the target of each job of a batch as a class.

    Args:
        inputs: one input for each job.
        params: the jobs' resolved parameters, all with the same target. If it is a class, probe and parameters are returned as they are.

    Raises:
        InvalidParameters: the photo does not have the target, for example a region where the model predicts the class nowhere.
    """
    target = params[0].other_target
    if target is None:
        return probe, list(params)
    readout = _readout(target, params[0])
    weighted = _weighted(target, readout, probe, inputs, params[0])
    weights = np.stack([each.weights for each in weighted]).astype(np.float32)
    explaining = probe.explaining(readout, weights, [each.name for each in weighted])
    return explaining, [job.changed(target=None, class_index=number, output=None) for number, job in enumerate(params)]


def _readout(target: OtherTarget, params: TargetClassParams) -> Readout:
    if isinstance(target, DifferenceTarget | RegionTarget):
        return Readout("logits" if params.explained_score == "logit" else "probabilities", params.output)
    if isinstance(target, ElementTarget):
        return Readout("output", params.output)
    if isinstance(target, ActivationTarget):
        return Readout("layer", target.activation.layer)
    layer = target.similarity.layer
    return Readout("output" if layer is None else "layer", params.output if layer is None else layer, normalised=True)


def _weighted(target: OtherTarget, readout: Readout, probe: Probe, inputs: Inputs, params: TargetClassParams) -> list[WeightedTarget]:
    """Return the target of each job of a batch."""
    precision = getattr(params, "precision", "float32")
    from_logits = isinstance(target, DifferenceTarget | RegionTarget)
    found = probe.values(inputs.tensor, Readout("logits", params.output) if from_logits else readout, precision=precision)
    if isinstance(target, DifferenceTarget):
        return [difference_weights(target.difference, logits, probe.published, params.output) for logits in found]
    if isinstance(target, RegionTarget):
        label = probe.published.label_of(class_number(target.region.class_), params.output)
        mean = params.explained_score == "probability"
        place = _place_of_output(probe, params.output, (inputs.tensor.shape[1], inputs.tensor.shape[2]))
        return [
            region_weights(target.region, logits, photo_under(photo, place), inputs.target_image, mean=mean, label=label)
            for logits, photo in zip(found, inputs.photos, strict=True)
        ]
    if isinstance(target, ElementTarget):
        return [element_weights(target, values.shape, params.output) for values in found]
    if isinstance(target, ActivationTarget):
        return [activation_weights(target.activation, values.shape) for values in found]
    if inputs.target_image is None:
        raise InternalError("The image of a similarity was not loaded.")
    (other,) = probe.values(inputs.target_image.tensor[None], readout, precision=precision)
    return [similarity_weights(target.similarity, other, values.shape) for values in found]


def _place_of_output(probe: Probe, output: str | None, size: tuple[int, int]) -> MapPlace:
    """Return where an output (N, h, w, classes) lies over the model's input, which has this size."""
    layer = probe.description.head_at(output).layer
    return MapPlace.whole(size) if layer is None else probe.map_place(layer, size)


def _facts_of_target(facts: Facts) -> Facts:
    """Return the facts of a method that has explained a target as a class: its label is the target's name, and its logit the value."""
    fields = dict(facts)
    return without_class(facts).model_copy(update={"target": fields["label"], "value": fields["logit"]})


def without_class(facts: Facts) -> Facts:
    """Return the facts of a method that explains a class with null in place of the class, and without the list of classes."""
    changes: dict[str, Any] = dict.fromkeys(_OF_A_CLASS)
    return facts.model_copy(update=changes | ({"classes": ()} if "classes" in type(facts).model_fields else {}))
