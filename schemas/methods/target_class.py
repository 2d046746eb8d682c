"""Parameters that say what a method explains: a class, several classes, or another target. They are checked against a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from schemas.errors import InvalidParameters, LimitExceeded, UnknownClass, VisualizationError
from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.target_resolution import no_class_output, repointed, resolve_target
from schemas.methods.targets import AnyTarget, ClassSelector, ClassTarget, ElementTarget, OtherTarget
from schemas.models import OutputHead, PublishedModel

TOP_CLASS: Final = -1
"""Stands for the class with the highest logit, for each image its own, in `TargetClasses` and in the int32 class indices of a probe."""

NEGATIVE: Final = 0
"""The class index of the negative answer of one sigmoid output."""


@dataclass(frozen=True)
class TargetClasses:
    """The classes that resolved parameters ask for.

    Attributes:
        indices: valid class indices of the output in the order asked for, or `TOP_CLASS` alone.
        listed: true if the caller gave a list. Arrays then have an axis for the classes, even for a list of one class.
    """

    indices: tuple[int, ...]
    listed: bool


class OutputParams(MethodParams):
    """Parameters of a method that reads class scores."""

    output: str | None = Field(
        default=None,
        min_length=1,
        max_length=256,
        description="This is the name of the model's output that is explained. If it is null, the model's first output is used.",
    )


class TargetClassParams(OutputParams):
    """Parameters of a method that explains the score of one class or of several, or another target."""

    target: AnyTarget | None = Field(
        default=None,
        description=(
            "This is what to explain, in place of `class_index`: a class index, a label, a list of them, or one of `class`, "
            "`difference` (a class minus others), `region` (a class of a segmentation), `element` (one value of an output), "
            "`similarity` (to another image) and `activation` (a channel or a neuron). "
            "A form takes an object as JSON."
        ),
        examples=[{"difference": {"of": 285, "from": [281, 282]}}],
    )

    class_index: ClassSelector | Annotated[tuple[ClassSelector, ...], Field(min_length=1)] | None = Field(
        default=None,
        description=(
            "This is the class to explain: a class index, a class label, or a list of them. If it is null, the class with the "
            "highest logit is explained. For a model with one sigmoid unit, this is the more probable of its two answers; class_index 1 "
            "is always the positive one. For a model with one regression value, that value is explained."
        ),
    )
    sign: Literal[1, -1] = Field(
        default=1,
        description=(
            "For a model with one sigmoid output, -1 is another way to ask for the negative answer, `class_index` 0. Every other model "
            "accepts only 1."
        ),
    )

    @model_validator(mode="after")
    def _one_target(self) -> Self:
        if self.target is not None and (self.class_index is not None or self.sign == -1):
            raise ValueError("give either class_index (or sign) or target, not both")
        return self

    @property
    def other_target(self) -> OtherTarget | None:
        """The target, unless it is one class or a list of them."""
        return None if isinstance(self.target, ClassTarget) else self.target

    @property
    def explained_score(self) -> Literal["logit", "probability"]:
        """The score of the classes that is explained."""
        return getattr(self, "score", "logit")

    def resolve_target(self, model: PublishedModel, limits: MethodLimits) -> Self:
        """Return these parameters with the target completed and checked. One class, or a list of them, is then in `class_index`.

        If nothing is given, the target is the top class, or the value of an output of one regression value.

        Raises:
            InvalidParameters: the model has no such output or target.
            UnknownClass, UnknownLayer, UnknownChannel, UnsuitableLayer: the model has no such class, layer or channel.
            LimitExceeded: the list has more classes than one job may explain.
        """
        if self.target is None and self.class_index is None and self.sign == 1 and _is_one_value(model.description.head_at(self.output)):
            return self.changed(target=ElementTarget(element=(0,)))
        if self.target is None:
            return self.resolve_classes(model, limits)
        if not isinstance(self.target, ClassTarget):
            return self.changed(target=resolve_target(self.target, model, self.output))
        try:
            return self.changed(class_index=self.target.class_, target=None).resolve_classes(model, limits)
        except VisualizationError as error:
            raise repointed(error) from None

    def resolve_classes(self, model: PublishedModel, limits: MethodLimits) -> Self:
        """Return these parameters with class indices in place of labels and of `sign`. This is the only place that validates them.

        Raises:
            UnknownClass: the output has no such class, or has no classes.
            InvalidParameters: the model has no such output, or `sign` is -1 and the output is not a single sigmoid, or `class_index` is
                then not the negative answer.
            LimitExceeded: the list has more classes than one job may explain.
        """
        given = self.class_index
        if isinstance(given, tuple) and len(given) > limits.max_classes:
            raise LimitExceeded(
                f"One job explains at most {limits.max_classes} classes, got {len(given)}.",
                pointer="/params/class_index",
                allowed=f"at most {limits.max_classes}",
                got=str(len(given)),
            )
        if self.sign == -1:
            self._check_sign(model)
        class_output(model, self.output)
        found: int | tuple[int, ...] | None = NEGATIVE if self.sign == -1 else None
        if isinstance(given, tuple):
            found = tuple(model.class_index_of(selector, output=self.output) for selector in given)
        elif given is not None:
            found = model.class_index_of(given, output=self.output)
        if self.sign == -1 and found != NEGATIVE:
            raise InvalidParameters(
                f"A sign of -1 asks for the negative answer, which is class_index {NEGATIVE}; got class_index {given}.",
                pointer="/params/class_index",
                allowed=str(NEGATIVE),
                got=str(given),
            )
        return self.changed(class_index=found, sign=1)

    def _check_sign(self, model: PublishedModel) -> None:
        head = model.description.head_at(self.output)
        if head.head != "binary":
            raise InvalidParameters(
                f"A sign of -1 is only allowed for a model with one sigmoid output, but model '{model.description.name}' has the head "
                f"'{head.head}' with {head.classes} classes.",
                pointer="/params/sign",
                allowed="1",
                got="-1",
            )

    def target_classes(self) -> TargetClasses:
        """Return the classes that these resolved parameters ask for.

        Raises:
            ValueError: the parameters are not resolved, so that `class_index` still holds a label.
        """
        listed = isinstance(self.class_index, tuple)
        selectors = self.class_index if isinstance(self.class_index, tuple) else (self.class_index,)
        indices: list[int] = []
        for selector in selectors:
            if isinstance(selector, str):
                raise ValueError(f"the parameters are not resolved: class_index is {self.class_index!r}")
            indices.append(TOP_CLASS if selector is None else selector)
        return TargetClasses(tuple(indices), listed)


def _is_one_value(head: OutputHead) -> bool:
    """Return whether an output is one regression value (N, 1), so that there is nothing else to explain."""
    return head.kind == "regression" and head.shape == (1,)


def class_output(model: PublishedModel, output: str | None) -> OutputHead:
    """Return the head of `output`. None stands for the first output.

    Raises:
        InvalidParameters: the model has no such output.
        UnknownClass: the output has no classes.
    """
    head = model.description.head_at(output)
    if head.classes is None:
        raise UnknownClass(no_class_output(model, output), pointer="/params/class_index")
    return head
