"""The target of each image of `filters`, and the objective of the ascent."""

from __future__ import annotations

from dataclasses import dataclass

from schemas.methods.synthesis.filters import Filters
from schemas.methods.synthesis.weighted_objective import WeightedObjective
from schemas.models import PublishedModel
from workers.contract.synthesis import Objective, Term


@dataclass(frozen=True)
class ImageTarget:
    """The target of one image.

    Attributes:
        name: The name of the image's artifact.
        channel: The channel that it excites, if it is a channel or a neuron.
        class_index: The class that it excites, if it is a class.
        label: The label of that class, if the model has labels.
    """

    name: str
    channel: int | None = None
    class_index: int | None = None
    label: str | None = None


def image_targets(params: Filters, model: PublishedModel) -> tuple[ImageTarget, ...]:
    """Return what each image is made for, in the order asked for. The parameters must be resolved."""
    if params.class_index is not None:
        return tuple(ImageTarget(f"class_{index}", class_index=index, label=model.label_of(index)) for index in _classes(params))
    if params.neuron is not None:
        y, x, channel = params.neuron
        return (ImageTarget(f"neuron_{y}_{x}_{channel}", channel=channel),)
    single = {"layer": params.whole_layer, "direction": params.direction is not None, "sum": params.objectives is not None}
    if any(single.values()):
        return tuple(ImageTarget(name) for name, given in single.items() if given)
    if params.diversity is not None:
        (channel,) = _channels(params)
        return tuple(ImageTarget(f"channel_{channel}_{number}", channel=channel) for number in range(params.diversity.count))
    return tuple(ImageTarget(f"channel_{channel}", channel=channel) for channel in _channels(params))


def objective_of(params: Filters, margin: int) -> Objective:
    """Return the objective that resolved parameters ask for. It leaves out a border of `margin` positions of the feature map."""
    if params.class_index is not None:
        return Objective("class", indices=_classes(params))
    if params.neuron is not None:
        y, x, channel = params.neuron
        return Objective("neuron", params.layer, (channel,), (y, x))
    if params.whole_layer:
        return Objective("layer", params.layer)
    if terms := _terms(params):
        return Objective("sum", params.layer, margin=margin, terms=terms)
    count, weight = (params.diversity.count, params.diversity.weight) if params.diversity else (1, 0.0)
    return Objective("channel", params.layer, _channels(params) * count, margin=margin, diversity=weight)


def _terms(params: Filters) -> tuple[Term, ...]:
    """Return the terms of a direction or a sum. The tuple is empty for every other objective."""
    if params.direction is not None:
        return tuple(Term("channel", channel, weight, params.layer) for channel, weight in params.direction)
    return tuple(map(_term, params.objectives or ()))


def _term(objective: WeightedObjective) -> Term:
    if objective.class_index is not None:
        return Term("class", int(objective.class_index), objective.weight)
    if objective.neuron is not None:
        y, x, channel = objective.neuron
        return Term("neuron", channel, objective.weight, objective.layer, (y, x))
    return Term("channel", objective.channel or 0, objective.weight, objective.layer)


def _channels(params: Filters) -> tuple[int, ...]:
    assert isinstance(params.channels, tuple)  # noqa: S101 - resolved parameters have a tuple
    return params.channels


def _classes(params: Filters) -> tuple[int, ...]:
    return tuple(int(selector) for selector in params.class_selectors())
