"""The result of `tcav` before it is drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from rendering.photo import Photo
from schemas.models import PublishedModel
from workers.methods.concepts.concept_vectors import ConceptVector, tcav_scores


@dataclass(frozen=True)
class VectorScores:
    """Some concept vectors, and the derivatives of the class's logit along each (vectors, images)."""

    vectors: tuple[ConceptVector, ...]
    derivatives: Float64[np.ndarray, "v m"]

    @property
    def scores(self) -> Float64[np.ndarray, " v"]:
        """The TCAV score of each vector."""
        return tcav_scores(self.derivatives)

    @property
    def accuracies(self) -> Float64[np.ndarray, " v"]:
        """The accuracy of each vector on photos that it was not fitted to."""
        return np.array([each.accuracy for each in self.vectors])


@dataclass(frozen=True)
class TcavResult:
    """The scores of all concepts for a class.

    Attributes:
        model: the model with its labels.
        photos: the photos of the class.
        concept_photos: the photos of each concept.
        class_index: the class.
        images_of_class: the number of photos of the class whose top class it is.
        by_concept: for each concept, its vector against each random set.
        by_chance: the vectors of random sets against each other, or None if there are too few sets.
        vectors: the mean vector of each concept, in the shape of the layer, or (k,) if it was pooled.
    """

    model: PublishedModel
    photos: tuple[Photo, ...]
    concept_photos: tuple[tuple[Photo, ...], ...]
    class_index: int
    images_of_class: int
    by_concept: tuple[VectorScores, ...]
    by_chance: VectorScores | None
    vectors: Float32[np.ndarray, "c *place k"]
