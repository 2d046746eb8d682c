"""Sheets: the pictures of several classes or channels as tiles of one picture, with captions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from rendering.drawings.maps_on_photo import MapsOnPhoto
from rendering.photo import Photo
from rendering.sheets import photo_for_tiles
from schemas.methods.facts import Prediction
from workers.contract.artifacts import Array, Picture, PictureOfArrays
from workers.methods.class_scores import class_name, score_text


def class_captions(classes: Sequence[Prediction]) -> tuple[str, ...]:
    """Return the caption of each class's tile: "Egyptian cat (285) · 38.1%"."""
    return tuple(f"{class_name(scored)} · {score_text(scored)}" for scored in classes)


def class_overlay(classes: Sequence[Prediction], photo: Photo, **options: Any) -> MapsOnPhoto:
    """Return the overlay of the array `map`, which has a map for each class. `options` are those of `MapsOnPhoto`."""
    return MapsOnPhoto(photo_size=photo.image.shape[:2], placement=photo.placement, captions=class_captions(classes), **options)


def class_pictures(arrays: Sequence[Array], classes: Sequence[Prediction], photo: Photo, **options: Any) -> tuple[Picture, PictureOfArrays]:
    """Return the overlay, which is the primary picture, and the heatmap, which is drawn when it is fetched.

    Args:
        arrays: arrays of the job. The one named `map` has a map for each class.
        classes: the classes, in the same order.
        photo: the photo and its place in the model's input.
        options: the options of `MapsOnPhoto` that say how the maps are drawn.
    """
    overlay = class_overlay(classes, photo, **options)
    image = overlay.draw({each.name: each.array for each in arrays}, photo.image)
    return Picture("overlay", image, primary=True, drawing=overlay), PictureOfArrays.of("heatmap", overlay.alone, arrays)


def smaller_tiles_warning(what: str, count: int, photo: Photo) -> Iterator[str]:
    """Yield a warning if a sheet of `count` tiles shows the photo smaller. `what` names the tiles, for example "classes"."""
    drawn = photo_for_tiles(photo, count)
    if drawn is not photo:
        height, width = drawn.image.shape[:2]
        yield f"The image is large and the sheet shows {count} {what}, so each tile is drawn at {width} × {height} pixels."
