"""The images that parameters name one by one, beside the photo and beside `images`: where they stand, and how they are replaced."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from schemas.methods.base import MethodParams
from schemas.methods.other_image import OtherImageParams
from schemas.methods.targets import MaskRegion, RegionTarget, SimilarityTarget


def named_images(params: MethodParams) -> dict[str, str]:
    """Return the ids and the addresses of the images that parameters name, by their place in the parameters.

    A place is written like a JSON pointer, without the first slash: `target/similarity/image`.
    """
    found: dict[str, str] = {}
    target, region = getattr(params, "target", None), getattr(params, "region", None)
    if isinstance(target, SimilarityTarget):
        found["target/similarity/image"] = target.similarity.image
    if isinstance(target, RegionTarget) and isinstance(where := target.region.where, MaskRegion):
        found["target/region/where/mask"] = where.mask
    if isinstance(region, MaskRegion):
        found["region/mask"] = region.mask
    if isinstance(params, OtherImageParams) and params.other_image is not None:
        found["other_image"] = params.other_image
    return found


def with_named_images(params: MethodParams, ids: Mapping[str, str]) -> MethodParams:
    """Return the parameters with each image that is a key of `ids`, an address for example, replaced by its value, the id."""
    changes: dict[str, Any] = {}
    for place, image in named_images(params).items():
        if image in ids:
            name, *inner = place.split("/")
            value = getattr(params, name)
            changes[name] = _replaced(value.model_dump() if isinstance(value, BaseModel) else value, inner, ids[image])
    return params.changed(**changes) if changes else params


def _replaced(value: Any, place: Sequence[str], image_id: str) -> Any:
    """Return the value with what stands at a place inside it replaced."""
    return {**value, place[0]: _replaced(value[place[0]], place[1:], image_id)} if place else image_id
