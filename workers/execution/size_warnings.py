"""Warnings that a photo did not go to the model at its own size, although the model takes any size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rendering.photo import Photo
from schemas.models import InputSpec
from workers.execution.loaded_inputs import LoadedInputs
from workers.execution.model_access import UsableModel


def job_size_warnings(model: UsableModel | None, loaded: LoadedInputs) -> tuple[str, ...]:
    """Return what was done to the photos so that the model's input can take them, unless the job gives their size."""
    if model is None or loaded.sized:
        return ()
    published = model.published if loaded.bound is None else model.published.seen_from(loaded.bound.name)
    inputs = loaded.inputs
    members = [each for sets in inputs.sets.values() for photos in sets for each in photos]
    several = {id(each): each.photo for each in (*inputs.several, *members)}  # a photo of several sets counts once
    photos = [loaded.photo] if loaded.photo is not None else list(several.values())
    return tuple(size_warnings(published.description.input, photos))


def size_warnings(given: InputSpec, photos: Sequence[Photo]) -> Iterator[str]:
    """Yield what was done to photos for an input with free sides, once for each kind of change.

    Args:
        given: the input that takes the photos.
        photos: the photo of the job, or all of them if it has several.
    """
    if given.height is not None and given.width is not None:
        return
    found: dict[str, int] = {}
    for photo in photos:
        for change in _changes(given, photo):
            found[change] = found.get(change, 0) + 1
    for change, count in found.items():
        yield f"The photo {change}." if len(photos) == 1 else f"{count} of {len(photos)} images: the photo {change}."


def _changes(given: InputSpec, photo: Photo) -> Iterator[str]:
    placement = photo.placement
    scale = max(placement.box[axis + 2] / placement.source[axis + 2] for axis in (0, 1))
    height, width = (int(side) for side in placement.input_size)
    if given.height is None and given.width is None and scale < 0.999:
        yield f"was scaled down for the model, because its longest side may have {given.longest} pixels"
    elif given.height is None and given.width is None and scale > 1.01:
        yield f"was enlarged for the model, whose input has at least {given.smallest} pixels a side"
    if placement.box[2:] != placement.input_size:
        yield f"lies in an input of {height}×{width} (height × width) with a border, because {_why(given)}"
    elif any(placement.source[axis + 2] < photo.image.shape[axis] - 0.01 for axis in (0, 1)):
        yield f"was cut to an input of {height}×{width} (height × width), because {_why(given)}"


def _why(given: InputSpec) -> str:
    if given.multiple == 1:
        return f"the model's input has at least {given.smallest} pixels a side"
    plus = f" plus {given.remainder}" if given.remainder else ""
    return f"the sides of the model's input are multiples of {given.multiple}{plus} and at least {given.smallest}"
