"""The facts of `tcav`: the score of each concept, and how sure it is."""

from __future__ import annotations

from pydantic import Field

from schemas.methods.facts import Facts


class ConceptScore(Facts):
    """A concept, its score over all random sets, and the test against chance."""

    name: str = Field(description="This is the name of the concept's set.")
    number: int = Field(description="This is the concept's place in `concepts`, counted from 0.")
    images: int = Field(description="This is the number of its photos.")
    score: float = Field(description="This is the mean score over the random sets, 0-1.")
    standard_deviation: float = Field(description="This is the standard deviation of the scores over the random sets, with divisor n.")
    scores: tuple[float, ...] = Field(
        description="These are the scores, one for each random set: the share of the class's photos whose logit grows along the vector."
    )
    accuracy: float = Field(description="This is the mean of `accuracies`. At 0.5, the layer does not tell the concept from random photos.")
    accuracies: tuple[float, ...] = Field(
        description=(
            "These are the accuracies of the vectors on photos that they were not fitted to (cross-validation with up to 5 parts), one for "
            "each random set: the mean of the shares of the concept's photos and of the random ones that are told right."
        )
    )
    derivative: float = Field(
        description="This is the mean derivative of the class's logit along the vectors of length 1, in logits per unit of the activations."
    )
    p_value: float | None = Field(
        description=(
            "This is the probability of scores so far from those of random sets by chance, by a two-sided t-test. It is null if there are "
            "fewer than three random sets, or if neither scores vary at all."
        )
    )
    corrected_p_value: float | None = Field(description="This is `p_value` times the number of concepts, at most 1 (Bonferroni).")
    significant: bool | None = Field(description="It is true if `corrected_p_value` is below 0.05. It is null if there is none.")


class RandomScore(Facts):
    """The scores of random sets against each other, with which those of concepts are compared."""

    score: float = Field(description="This is the mean of the scores, 0-1. It is near 0.5 if there are many sets.")
    standard_deviation: float = Field(description="This is the standard deviation of the scores, with divisor n.")
    scores: tuple[float, ...] = Field(
        description="These are the scores of each random set against the next, and of the last against the first."
    )
    accuracy: float = Field(description="This is the mean accuracy of these vectors.")


class TcavFacts(Facts):
    """The scores of all concepts."""

    layer: str = Field(description="This is the path of the layer.")
    pool: str = Field(
        description="This is `none` if a vector has a value for each position, and `mean` if it is the same at all positions."
    )
    class_index: int = Field(description="This is the index of the class.")
    label: str | None = Field(description="This is the class's label. It is null if the model has no labels.")
    images_of_class: int = Field(description="This is the number of photos of `images` for which the class is the model's top class.")
    concepts: tuple[ConceptScore, ...] = Field(description="These are the concepts, in the order of `concepts`.")
    random: RandomScore | None = Field(description="These are the scores of random sets. They are null if there are fewer than three sets.")
