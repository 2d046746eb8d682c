"""This holds what `compare_models` has computed: the answers of each model and its map, for each photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from schemas.methods.base import MethodParams
from schemas.methods.facts import Prediction
from schemas.models import PublishedModel
from workers.contract.inputs import Prepared
from workers.contract.map_place import MapPlace
from workers.methods.sets.class_matches import ClassMatch


@dataclass(frozen=True)
class ExplainedPhoto:
    """This holds what one model says of one photo, and the map that explains it.

    Attributes:
        photo: the photo, and where it lies in the model's input.
        top: the model's top class.
        explained: the class that the map explains.
        own_class: whether this is the model's own top class, and not the class that all models explain.
        result: the result of the attribution method, which that method can draw.
        params: the parameters of the attribution method.
        map: its unscaled map (h, w).
        place: where the map lies over the model's input.
    """

    photo: Prepared
    top: Prediction
    explained: Prediction
    own_class: bool
    result: Any
    params: MethodParams
    map: Float32[np.ndarray, "h w"]
    place: MapPlace


@dataclass(frozen=True)
class ComparedModels:
    """All that was computed.

    Attributes:
        models: the models with their labels, the model of the request first.
        logits: for each model the logits of each photo (photos, classes).
        photos: for each model what it says of each photo.
        matches: the classes that two models have in common, by the places of the models.
    """

    models: tuple[PublishedModel, ...]
    logits: tuple[Float32[np.ndarray, "n _"], ...]
    photos: tuple[tuple[ExplainedPhoto, ...], ...]
    matches: Mapping[tuple[int, int], ClassMatch]
