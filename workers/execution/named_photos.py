"""Divide the loaded photos of a job into those of `images`, those of the sets that its parameters name, and masks of regions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from schemas.methods.photo_regions import PhotoRegionsParams
from schemas.methods.photo_sets import PhotoSetsParams
from schemas.methods.several_images import ImagesParams
from workers.contract.inputs import Prepared


@dataclass(frozen=True)
class NamedPhotos:
    """The photos that parameters name. A photo that stands in several places is in memory once.

    Attributes:
        several: the photos of `images`.
        sets: the photos of each set, by the name of the parameter.
        region_masks: the masks of the photos' regions, by their ids.
    """

    several: tuple[Prepared, ...] = ()
    sets: Mapping[str, tuple[tuple[Prepared, ...], ...]] = field(default_factory=dict[str, tuple[tuple[Prepared, ...], ...]])
    region_masks: Mapping[str, Prepared] = field(default_factory=dict[str, Prepared])


def named_photos(params: ImagesParams, loaded: Sequence[Prepared]) -> NamedPhotos:
    """Return the photos that the parameters of a job name.

    Args:
        params: the parameters of the job, which name uploads alone.
        loaded: each photo of the job once, in the order of `params.image_places()`.
    """
    by_id = dict(zip(params.image_places(), loaded, strict=True))
    sets: dict[str, tuple[tuple[Prepared, ...], ...]] = {}
    if isinstance(params, PhotoSetsParams):
        sets = {name: tuple(tuple(by_id[image] for image in each.images) for each in params.photo_sets(name)) for name in params.set_fields}
    masks = {mask: by_id[mask] for _, mask in params.masks()} if isinstance(params, PhotoRegionsParams) else {}
    return NamedPhotos(tuple(by_id[image] for image in params.images), sets, masks)
