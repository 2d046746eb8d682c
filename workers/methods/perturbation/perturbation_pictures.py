"""Pictures, arrays, facts and warnings of a map over the model's input."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.methods.perturbation.base import PerturbationFacts, PerturbationParams
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Photo
from workers.methods.cam import cam_pictures
from workers.methods.cam.cam_pictures import Drawing
from workers.methods.perturbation.masked_scores import Attribution
from workers.rendering import scaling


def draw(result: Attribution, photo: Photo, params: PerturbationParams, drawing: Drawing) -> Output:
    """Overlay, heatmap and map, as `PERTURBATION_ARTIFACTS` lists them.

    Args:
        drawing: a map as it is (H, W) and a photo → (overlay, heatmap) at the photo's size.

    Raises:
        NonFinite: the class scores themselves are not finite.
    """
    cam_pictures.check_scores(result.classes)
    shown = cam_pictures.small_enough(photo, len(result.classes))
    overlay, heatmap = cam_pictures.sheets([drawing(values, shown) for values in result.maps], result.classes, shown)
    return Output(
        artifacts=(
            Picture("overlay", overlay, primary=True),
            Picture("heatmap", heatmap),
            Array("map", result.maps if result.listed else result.maps[0]),
        ),
        facts=PerturbationFacts(**dict(result.classes[0]), classes=result.classes, score=params.score, masks=result.masks),
        warnings=(*degenerate(result), *cam_pictures.shrunk(f"{len(result.classes)} classes", shown, photo)),
    )


def degenerate(result: Attribution) -> Iterator[str]:
    """A warning for each map that cannot be scaled."""
    for scored, values in zip(result.classes, result.maps, strict=True):
        if why := scaling.why_degenerate(values):
            yield f"{cam_pictures.named(scored)}: the map is {why}; it is drawn as zeros."
