"""Pictures, arrays, facts and warnings of a map over the model's input."""

from __future__ import annotations

from collections.abc import Iterator

from schemas.methods.parts.perturbation import PerturbationFacts, PerturbationParams
from workers.interface import Array, Output, Photo, Picture
from workers.methods.parts import cam_picture
from workers.methods.parts.cam_picture import Drawing
from workers.methods.parts.perturbation import Attribution
from workers.rendering import scaling


def draw(result: Attribution, photo: Photo, params: PerturbationParams, drawing: Drawing) -> Output:
    """Overlay, heatmap and map, as `PERTURBATION_ARTIFACTS` lists them.

    Args:
        drawing: a map as it is (H, W) and a photo → (overlay, heatmap) at the photo's size.

    Raises:
        NonFinite: the class scores themselves are not finite.
    """
    cam_picture.check_scores(result.classes)
    shown = cam_picture.small_enough(photo, len(result.classes))
    overlay, heatmap = cam_picture.sheets([drawing(values, shown) for values in result.maps], result.classes, shown)
    return Output(
        artifacts=(
            Picture("overlay", overlay, primary=True),
            Picture("heatmap", heatmap),
            Array("map", result.maps if result.listed else result.maps[0]),
        ),
        facts=PerturbationFacts(**dict(result.classes[0]), classes=result.classes, score=params.score, masks=result.masks),
        warnings=(*degenerate(result), *cam_picture.shrunk(f"{len(result.classes)} classes", shown, photo)),
    )


def degenerate(result: Attribution) -> Iterator[str]:
    """A warning for each map that cannot be scaled."""
    for scored, values in zip(result.classes, result.maps, strict=True):
        if why := scaling.why_degenerate(values):
            yield f"{cam_picture.named(scored)}: the map is {why}; it is drawn as zeros."
