"""The pictures, arrays, facts and warnings of a perturbation method."""

from __future__ import annotations

from rendering.photo import Photo
from schemas.methods.perturbation.base import PerturbationFacts, PerturbationParams
from workers.contract.artifacts import Array, Output, Picture
from workers.methods.cam.cam_pictures import DrawOverlay
from workers.methods.class_scores import check_finite_scores
from workers.methods.degenerate_maps import degenerate_map_warnings
from workers.methods.perturbation.perturbation_result import PerturbationResult
from workers.methods.sheets import class_sheets, photo_for_tiles, smaller_tiles_warning


def draw(result: PerturbationResult, photo: Photo, params: PerturbationParams, draw_overlay: DrawOverlay) -> Output:
    """Return the output of a perturbation method. The artifacts are those of `PERTURBATION_ARTIFACTS`.

    Args:
        draw_overlay: gets the unscaled map of one class.

    Raises:
        NonFinite: a class score is not finite.
    """
    check_finite_scores(result.classes)
    drawn = photo_for_tiles(photo, len(result.classes))
    overlay, heatmap = class_sheets([draw_overlay(values, drawn) for values in result.maps], result.classes, drawn)
    return Output(
        artifacts=(
            Picture("overlay", overlay, primary=True),
            Picture("heatmap", heatmap),
            Array("map", result.maps if result.listed else result.maps[0]),
        ),
        facts=PerturbationFacts(**dict(result.classes[0]), classes=result.classes, score=params.score, masks=result.masks),
        warnings=(
            *degenerate_map_warnings(result.classes, result.maps),
            *smaller_tiles_warning(f"{len(result.classes)} classes", drawn, photo),
        ),
    )
