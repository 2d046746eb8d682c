"""The facts of `compare_models`: the answers of several models to the same photos, and how much they agree."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from schemas.methods.facts import Facts, Prediction

Matched = Literal["label", "index"]


class ModelAnswer(Facts):
    """The answer of one model to one photo, and the class that its map explains."""

    model: str = Field(description="This is the name of the model.")
    top: Prediction = Field(description="This is the model's top class.")
    ranks: tuple[int | None, ...] = Field(
        description="These are the ranks of this top class in the answer of each model, in the order of `models`. Rank 1 is the top class. "
        "A rank is null if that model has no such class."
    )
    explained: Prediction = Field(description="This is the class that the model's map explains, with this model's scores.")
    own_class: bool = Field(
        description="If it is true, the map explains the model's own top class: because `explain` asks for it, or because the model has "
        "no class that matches."
    )


class ComparedPhoto(Facts):
    """The answers of all models to one photo."""

    image: str = Field(description="This is the id of the image.")
    number: int = Field(description="This is the image's place in `images`, counted from 0.")
    answers: tuple[ModelAnswer, ...] = Field(description="These are the answers in the order of `models`.")


class ModelPair(Facts):
    """Says how much two models agree."""

    first: str = Field(description="This is the name of the first model.")
    second: str = Field(description="This is the name of the second model.")
    matched_by: Matched | None = Field(
        description="It says how the classes of the two models are matched: by their labels, or by their indices if neither has labels and "
        "both have as many classes. It is null if they cannot be matched."
    )
    matched_classes: int = Field(description="This is the number of classes that both models have.")
    same_top_class: float | None = Field(
        description="This is the share of photos, 0-1, for which both have the same top class. It is null if the classes cannot be matched."
    )
    rank_correlations: tuple[float | None, ...] = Field(
        description="These are the rank correlations (Spearman, -1 to 1) of the two models' maps, one for each photo. One is null if a map "
        "is the same everywhere."
    )
    mean_rank_correlation: float | None = Field(description="This is their mean. It is null if there are none.")


class CompareModelsFacts(Facts):
    """The models, their answers to each photo, and how much each pair of models agrees."""

    attribution: str = Field(description="This is the method whose maps are compared.")
    models: tuple[str, ...] = Field(description="These are the models in the order of the sheet's columns.")
    images: tuple[ComparedPhoto, ...] = Field(description="These are the photos in the order of `images`.")
    pairs: tuple[ModelPair, ...] = Field(description="These are all pairs of models.")
