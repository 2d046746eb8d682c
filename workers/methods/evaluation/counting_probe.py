"""A probe that counts how many images its model is shown, so that the cost of a method can be told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from typing import Any, Literal, TypeVar, cast

from schemas.models import ModelDescription, PublishedModel
from workers.contract.probe import Probe

Question = TypeVar("Question", bound=Callable[..., Any])


@dataclass
class Passes:
    """This counts the images that a model was shown, with a forward pass alone and with one that also goes back through layers."""

    forward: int = 0
    gradient: int = 0


def _asks(question: Question, counts: Literal["forward", "gradient"] | None = None, images: str = "tensor") -> Question:
    """Return a method that puts a question of `Probe` to the other probe. A probe that answers it counts as well.

    Args:
        question: the method of `Probe`.
        counts: the kind of pass that the question takes. None means that it is not counted.
        images: the argument with one entry for each image.
    """
    arguments = signature(question)

    @wraps(question)
    def ask(self: CountingProbe, *given: Any, **named: Any) -> Any:
        if counts is not None:
            count = len(arguments.bind(self, *given, **named).arguments[images])
            setattr(self.passes, counts, getattr(self.passes, counts) + count)
        answer = getattr(self.probe, question.__name__)(*given, **named)
        return CountingProbe(answer, self.passes) if isinstance(answer, Probe) else answer

    return cast("Question", ask)


class CountingProbe(Probe):
    """Asks another probe, and counts the images of each call in `passes`. The arguments and errors are those of `Probe`."""

    def __init__(self, probe: Probe, passes: Passes | None = None) -> None:
        self.probe, self.passes = probe, Passes() if passes is None else passes

    @property
    def published(self) -> PublishedModel:
        return self.probe.published

    @property
    def description(self) -> ModelDescription:
        return self.probe.description

    inputs_per_pass = _asks(Probe.inputs_per_pass)
    map_place = _asks(Probe.map_place)
    forward = _asks(Probe.forward, "forward")
    gradients = _asks(Probe.gradients, "gradient")
    input_gradients = _asks(Probe.input_gradients, "gradient")
    backproject = _asks(Probe.backproject, "gradient")
    relevances = _asks(Probe.relevances, "gradient")
    contributions = _asks(Probe.contributions, "gradient")
    full_gradients = _asks(Probe.full_gradients, "gradient")
    attentions = _asks(Probe.attentions, "forward")
    attention_gradients = _asks(Probe.attention_gradients, "gradient")
    scores_from = _asks(Probe.scores_from, "forward", "activations")
    values = _asks(Probe.values, "forward")
    explaining = _asks(Probe.explaining)
    with_inputs = _asks(Probe.with_inputs)
    randomised = _asks(Probe.randomised)
    ascend = _asks(Probe.ascend)
    dream = _asks(Probe.dream)
    weights = _asks(Probe.weights)
