"""The result of `craft`: the concepts of a class before they are sorted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from rendering.photo import Photo
from schemas.models import PublishedModel
from workers.methods.concepts.nmf import Factorization
from workers.methods.concepts.photo_crops import Crop


@dataclass(frozen=True)
class ClassConcepts:
    """The concepts of a class.

    Attributes:
        model: the model with its labels.
        under_maps: the photos as they lie under the maps.
        photos: the photos as they lie in the model's input.
        class_index: the class.
        top_classes: the top class of each photo.
        crops: the crops, photo by photo.
        values: how much of each concept each crop has, in units of the activations.
        vectors: the vectors of the concepts, of the length 1.
        maps: for each photo the maps of the concepts, in units of the activations.
        importances: the total Sobol index of each concept for each photo.
        relative_error: ‖A − U·W‖ / ‖A‖ over the crops.
        factors: the factors as they were found.
    """

    model: PublishedModel
    under_maps: tuple[Photo, ...]
    photos: tuple[Photo, ...]
    class_index: int
    top_classes: tuple[int, ...]
    crops: tuple[Crop, ...]
    values: Float32[np.ndarray, "n p"]
    vectors: Float32[np.ndarray, "p k"]
    maps: tuple[Float32[np.ndarray, "p _ _"], ...]
    importances: Float64[np.ndarray, "i p"]
    relative_error: float
    factors: Factorization
