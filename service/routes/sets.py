"""The routes under `/v1/sets`: name several uploads once, and use them wherever a method takes several images."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from jobstore.image_sets import ImageSetRecord
from schemas.errors import FieldError, NotFound
from schemas.image_sets import SET_ID_PATTERN, ImageSet, ImageSetPage, ImageSetRequest, set_url
from schemas.methods.several_images import too_many_images
from service.auth import OwnerDep
from service.dependencies import ServicesDep
from service.echo import echo
from service.media_type import media_type_of, unsupported_media_type
from service.problems import documented
from service.read_json import read_json
from service.responses import model_response
from service.validation_errors import check_extent, invalid_parameters, validated

router = APIRouter(tags=["sets"])

_EXAMPLE = {"name": "street signs", "images": ["img_" + "0" * 64, "img_" + "1" * 64]}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ImageSetRequest"}, "example": _EXAMPLE}},
    }
}


async def _set(
    set_id: Annotated[str, Path(description="This is the id that `POST /v1/sets` answered.", examples=["set_01K5YQZ7T8Y1W4V9N3M2XQJ6RD"])],
    services: ServicesDep,
    owner: OwnerDep,
) -> ImageSetRecord:
    found = await services.store.sets.read(owner, set_id)
    if found is None:
        raise NotFound(f"There is no set '{echo(set_id)}'. It was never made, or it was deleted, or it has expired.", got=echo(set_id))
    return found


SetDep = Annotated[ImageSetRecord, Depends(_set)]


@router.post(
    "/v1/sets",
    operation_id="make_set",
    summary="Name several uploads",
    status_code=201,
    response_model=ImageSet,
    response_description="The set is made.",
    responses=documented(400, 404, 413, 415, 422, 503),
    openapi_extra=_BODY,
)
async def make_set(request: Request, services: ServicesDep, owner: OwnerDep) -> Response:
    """A set holds its images as long as it lives, also if the uploads themselves expire or are deleted. Its id may stand among the
    `images` of every method that takes several."""
    if media_type_of(request) != "application/json":
        raise unsupported_media_type(media_type_of(request), "application/json")
    errors: list[FieldError] = []
    body = read_json(await request.body())
    check_extent(body, "")
    order = validated(ImageSetRequest, body, "", errors)
    if order is None:
        raise invalid_parameters(errors)
    limits = services.settings.method_limits
    if len(order.images) > limits.max_images:
        raise too_many_images(limits, str(len(order.images)), "/images")
    made = await services.store.sets.make(owner, order.name, order.images)
    return model_response(_shown(made), 201, {"Location": set_url(made.id)})


@router.get("/v1/sets", operation_id="list_sets", summary="List your sets", response_model=ImageSetPage, responses=documented(422, 503))
async def list_sets(
    services: ServicesDep,
    owner: OwnerDep,
    cursor: Annotated[
        str | None,
        Query(pattern=SET_ID_PATTERN, description="The `next_cursor` of the page before. Without it, the first page is answered."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="A page has at most this many sets.")] = 50,
) -> Response:
    """The newest set comes first."""
    sets, next_cursor = await services.store.sets.page(owner, cursor, limit)
    return model_response(ImageSetPage(items=tuple(map(_shown, sets)), next_cursor=next_cursor))


@router.get("/v1/sets/{set_id}", operation_id="get_set", summary="Look at a set", response_model=ImageSet, responses=documented(404, 503))
async def get_set(found: SetDep) -> Response:
    """The answer is the set with the ids of its images."""
    return model_response(_shown(found))


@router.delete("/v1/sets/{set_id}", operation_id="delete_set", summary="Delete a set", status_code=204, responses=documented(404, 503))
async def delete_set(services: ServicesDep, owner: OwnerDep, found: SetDep) -> Response:
    """The set is forgotten and no longer holds its images. Its uploads stay, and jobs that were submitted with it go on."""
    await services.store.sets.delete(owner, found.id)
    return Response(status_code=204)


def _shown(found: ImageSetRecord) -> ImageSet:
    return ImageSet(id=found.id, name=found.name, images=found.images, created_at=found.created_at, expires_at=found.expires_at)
