"""A class activation map's pictures, arrays, facts and warnings."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from schemas.errors import NonFinite
from schemas.methods.cam.base import CamFacts, CamParams
from schemas.methods.facts import Prediction
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Photo
from workers.methods.artifact_names import by_path
from workers.methods.cam.class_evidence import Explanation
from workers.rendering import scaling, text
from workers.rendering.grid import grid
from workers.rendering.overlays import OverlayAndHeatmap
from workers.rendering.overlays.blend import blend

# A sheet of several tiles shows the photo smaller rather than exceed this.
MAX_SHEET_PIXELS = 25_000_000

Drawing = Callable[[Float32[np.ndarray, "h w"], Photo], OverlayAndHeatmap]


def draw(explanation: Explanation, photo: Photo, params: CamParams) -> Output:
    """Overlay, heatmap and maps, as a CAM's card lists them, in the colours asked for."""
    return draw_by(explanation, photo, lambda heat, shown: blend(heat, shown, params.colormap, params.alpha))


def draw_by(explanation: Explanation, photo: Photo, drawing: Drawing) -> Output:
    """Overlay, heatmap and maps, as a CAM's card lists them.

    Args:
        drawing: heat (h, w) 0–1 and photo → (overlay, heatmap) at the photo's size.

    Raises:
        NonFinite: the class scores themselves are not finite.
    """
    check_scores(explanation.classes)
    shown = small_enough(photo, len(explanation.classes))
    overlay, heatmap = sheets([drawing(scaling.heat(values), shown) for values in explanation.maps], explanation.classes, shown)
    return Output(
        artifacts=(Picture("overlay", overlay, primary=True), Picture("heatmap", heatmap), *_arrays(explanation)),
        facts=facts(explanation),
        warnings=(*degenerate(explanation), *shrunk(f"{len(explanation.classes)} classes", shown, photo)),
    )


def sheets(
    drawn: Sequence[OverlayAndHeatmap], classes: Sequence[Prediction], shown: Photo
) -> tuple[UInt8[np.ndarray, "sheet_h sheet_w 3"], UInt8[np.ndarray, "sheet_h sheet_w 3"]]:
    """Of one class its pictures; of several all overlays and all heatmaps, tiled under the classes' names."""
    if len(drawn) == 1:
        return drawn[0]
    captions = [f"{named(scored)} · {scored.probability:.1%}" for scored in classes]
    size = caption_size(shown)
    overlay, heatmap = (
        grid(text.captioned(np.stack(tiles), captions, size), gap=4, background=text.PAPER) for tiles in zip(*drawn, strict=True)
    )
    return overlay, heatmap


def facts(explanation: Explanation) -> CamFacts:
    layers = tuple(explanation.by_layer)
    return CamFacts(**dict(explanation.classes[0]), layer=layers[0], layers=layers, classes=explanation.classes)


def check_scores(classes: Sequence[Prediction]) -> None:
    """Raises `NonFinite` where a class score is not finite."""
    for scored in classes:
        if not (math.isfinite(scored.logit) and math.isfinite(scored.probability)):
            raise NonFinite(f"The model's score of class {scored.class_index} is not finite: logit {scored.logit}.")


def named(scored: Prediction) -> str:
    """The class in words: its label and index, or its index alone."""
    return f"{scored.label} ({scored.class_index})" if scored.label else f"class {scored.class_index}"


def caption_size(photo: Photo) -> int:
    """Height of the letters of a caption over the photo: readable, and no more than a share of it."""
    return int(np.clip(photo.image.shape[1] / 26, 10, 40))


def small_enough(photo: Photo, count: int) -> Photo:
    """The photo, reduced where `count` tiles of its size would exceed `MAX_SHEET_PIXELS`; one tile is never reduced."""
    height, width = photo.image.shape[:2]
    if count == 1 or count * height * width <= MAX_SHEET_PIXELS:
        return photo
    share = math.sqrt(MAX_SHEET_PIXELS / (count * height * width))
    size = (max(1, int(height * share)), max(1, int(width * share)))
    image = np.asarray(cv2.resize(photo.image, size[::-1], interpolation=cv2.INTER_AREA), np.uint8)
    top, left, tall, wide = photo.placement.source
    vertical, horizontal = size[0] / height, size[1] / width
    source = (top * vertical, left * horizontal, tall * vertical, wide * horizontal)
    return Photo(image, replace(photo.placement, source=source))


def degenerate(explanation: Explanation) -> Iterator[str]:
    """A warning for each map that cannot be scaled; of a fused one each layer's that cannot."""
    for layer, maps in explanation.by_layer.items():
        for scored, values in zip(explanation.classes, maps, strict=True):
            if why := scaling.why_degenerate(values):
                yield f"{named(scored)}: the map at layer '{layer}' is {why}; it is drawn as zeros."


def shrunk(what: str, shown: Photo, photo: Photo) -> Iterator[str]:
    """A warning where the photo is shown smaller than it is."""
    if shown is not photo:
        height, width = shown.image.shape[:2]
        yield f"{what} of so large a photo: each is drawn at {width} × {height} pixels."


def _arrays(explanation: Explanation) -> Iterator[Array]:
    """The map; of several layers each one's own too."""
    several = len(explanation.by_layer) > 1
    names = by_path(explanation.by_layer)
    named_maps = {
        "map": explanation.maps,
        **({f"map.{names[path]}": maps for path, maps in explanation.by_layer.items()} if several else {}),
    }
    for name, maps in named_maps.items():
        yield Array(name, maps if explanation.listed else maps[0])
