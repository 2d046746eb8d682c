"""Facts: what a method found, in numbers and words. Every job shows them beside its artifacts."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from schemas.models import HeadKind

HEAD_FIELD = Field(
    default=None,
    description="It says what the values of the model's output are, as in the model's description. If it is `probabilities` or "
    "`log_probabilities`, there are no logits, and `logit` is the natural logarithm of the probability.",
)


class Facts(BaseModel):
    """Base of every method's facts. Each method has its own subclass, so that clients get typed answers."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Prediction(BaseModel):
    """One class and the model's score of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    class_index: int = Field(description="This is the class index. The first class is 0.")
    label: str | None = Field(description="This is the class label. It is null if the model has no labels.")
    logit: float = Field(description="This is the score before the final softmax or sigmoid.")
    probability: float = Field(description="This is the score after the final softmax or sigmoid, 0-1.")
    head: HeadKind | None = HEAD_FIELD


class ExplainedFacts(Facts):
    """The class that is explained, or another target. The fields of the class are null if the target is not one class."""

    class_index: int | None = Field(description="This is the index of the first class that is explained.")
    label: str | None = Field(description="This is the first class's label. It is null if the model has no labels.")
    logit: float | None = Field(description="This is the first class's score for the whole image, before the final softmax or sigmoid.")
    probability: float | None = Field(description="This is the first class's score for the whole image, after the softmax or sigmoid, 0-1.")
    head: HeadKind | None = HEAD_FIELD
    target: str | None = Field(
        default=None, description="This is the target in words, with the numbers that only the image decides. It is null for classes."
    )
    value: float | None = Field(default=None, description="This is the value of the target for the whole image. It is null for classes.")


class ExplainedClassesFacts(ExplainedFacts):
    """The classes that are explained, or another target. Without a list of classes, `classes` has one entry."""

    classes: tuple[Prediction, ...] = Field(
        description="These are all classes that are explained, with their scores for the image. There are none for another target."
    )
