"""The pictures, arrays, facts and warnings of a perturbation method."""

from __future__ import annotations

from typing import Any

from rendering.photo import Photo
from schemas.methods.perturbation.base import PerturbationFacts, PerturbationParams
from workers.contract.artifacts import Array, Output
from workers.methods.class_scores import check_finite_scores
from workers.methods.degenerate_maps import degenerate_map_warnings
from workers.methods.perturbation.perturbation_result import PerturbationResult
from workers.methods.sheets import class_pictures, smaller_tiles_warning


def draw(result: PerturbationResult, photo: Photo, params: PerturbationParams, **options: Any) -> Output:
    """Return the output of a perturbation method. The artifacts are those of `PERTURBATION_ARTIFACTS`.

    Args:
        options: the options of `MapsOnPhoto` that say how the unscaled maps are drawn.

    Raises:
        NonFinite: a class score is not finite.
    """
    check_finite_scores(result.classes)
    array = Array("map", result.maps if result.listed else result.maps[0])
    return Output(
        artifacts=(*class_pictures([array], result.classes, photo, **options), array),
        facts=PerturbationFacts(**dict(result.classes[0]), classes=result.classes, score=params.score, masks=result.masks),
        warnings=(
            *degenerate_map_warnings(result.classes, result.maps),
            *smaller_tiles_warning("classes", len(result.classes), photo),
        ),
    )
