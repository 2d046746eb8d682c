"""Divide the loaded photos of a job into those of `images` and those of the sets that its parameters name."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.methods.photo_sets import PhotoSetsParams
from schemas.methods.several_images import ImagesParams
from workers.contract.inputs import Prepared


def split_in_sets(
    params: ImagesParams, loaded: Sequence[Prepared]
) -> tuple[tuple[Prepared, ...], dict[str, tuple[tuple[Prepared, ...], ...]]]:
    """Return the photos of `images`, and the photos of each set by the name of the parameter. A photo may be in several sets.

    Args:
        params: the parameters of the job, which name uploads alone.
        loaded: each photo of the job once, in the order of `params.image_places()`.
    """
    by_id = dict(zip(params.image_places(), loaded, strict=True))
    several = tuple(by_id[image] for image in params.images)
    if not isinstance(params, PhotoSetsParams):
        return several, {}
    return several, {
        name: tuple(tuple(by_id[image] for image in each.images) for each in params.photo_sets(name)) for name in params.set_fields
    }
