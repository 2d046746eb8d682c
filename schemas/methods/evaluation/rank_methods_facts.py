"""The facts of `rank_methods`: the ranks of attribution methods, and what they cost."""

from __future__ import annotations

from pydantic import Field

from schemas.methods.evaluation.measures import Better, MeasuredValue, MeasureName
from schemas.methods.facts import Facts, Prediction


class MeanMeasure(Facts):
    """One measure of one method, over all photos."""

    measure: MeasureName = Field(description="This is the name of the measure.")
    better: Better = Field(description="It says which way is better.")
    mean: float | None = Field(description="This is the mean value over the photos that have one. It is null if none has.")
    mean_rank: float = Field(description="This is the mean rank over the photos. Rank 1 is the best.")


class PhotoMeasures(Facts):
    """The measures of one method for one photo."""

    image: str = Field(description="This is the id of the image.")
    explained: Prediction = Field(description="This is the class that the map explains. For another target, its label is the target.")
    mean_rank: float = Field(description="This is the mean of the ranks of all measures for this photo.")
    measures: tuple[MeasuredValue, ...] = Field(description="These are the measures in the order in which they were asked for.")


class RankedMethod(Facts):
    """One method, its ranks and its cost."""

    name: str = Field(description="This is the name that the request gave to the method, or else the method's own.")
    method: str = Field(description="This is the attribution method.")
    mean_rank: float = Field(description="This is the mean over the photos of the mean rank of all measures. 1 is the best.")
    interval: float | None = Field(
        description="The mean rank ± this is a 95 % confidence interval over the photos (Student's t). It is null for one photo."
    )
    as_good_as_best: bool | None = Field(
        description="It is true if the difference to the best method's mean rank is not significant at 5 % over the photos (paired t "
        "test, two-sided). It is true for the best method, and null for one photo."
    )
    measures: tuple[MeanMeasure, ...] = Field(description="These are the measures over all photos.")
    forward_passes: int = Field(description="This is the number of images that the model was shown for a map alone, all photos together.")
    gradient_passes: int = Field(
        description="This is the number of images for which gradients or relevance were computed for a map alone, all photos together."
    )
    seconds: float = Field(description="These are the seconds that the maps took, all photos together. The first call of a kind compiles.")
    measuring_seconds: float = Field(description="These are the seconds that the measures took, all photos together.")
    photos: tuple[PhotoMeasures, ...] = Field(description="These are the measures for each photo, in the order of `images`.")


class RankMethodsFacts(Facts):
    """The methods in the order of their mean ranks, the best first."""

    methods: tuple[RankedMethod, ...] = Field(description="These are the methods, the best first.")
    forward_passes: int = Field(description="This is the number of images that the model was shown for all maps and all measures.")
    gradient_passes: int = Field(description="This is the number of images for which gradients or relevance were computed in all.")
    friedman_p: float | None = Field(
        description="This is the p value of the Friedman test over the photos: how likely mean ranks that differ so much are if all "
        "methods are equally good. It is null for fewer than three methods or two photos, and if all ranks are tied."
    )
