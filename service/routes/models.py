"""`/v1/models`: what can be looked into."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from schemas.models import ClassLabel, Layer, LayerKind, ModelDescription, ModelSummary
from service.dependencies import ServicesDep
from service.problems import documented
from service.responses import list_response, model_response

router = APIRouter(tags=["discovery"])

Name = Annotated[str, Path(description="The model's name.", examples=["efficientnet_lite0"])]


@router.get("/v1/models", operation_id="list_models", summary="Every model", response_model=list[ModelSummary], responses=documented(503))
async def list_models(services: ServicesDep) -> Response:
    """What only a loaded model can tell is null until a worker has described it."""
    return list_response(await services.models.summaries())


@router.get(
    "/v1/models/{model}", operation_id="get_model", summary="A model", response_model=ModelDescription, responses=documented(404, 503)
)
async def get_model(model: Name, services: ServicesDep) -> Response:
    """With its layers, as a graph. A model that nobody has asked for yet is loaded by a worker first."""
    return model_response(await services.models.description(services.models.entry(model, None)))


@router.get(
    "/v1/models/{model}/layers",
    operation_id="list_layers",
    summary="A model's layers",
    response_model=list[Layer],
    responses=documented(404, 422, 503),
)
async def list_layers(
    model: Name, services: ServicesDep, kind: Annotated[LayerKind | None, Query(description="These alone.", examples=["conv"])] = None
) -> Response:
    published = await services.models.published(services.models.entry(model, None))
    return list_response([layer for layer in published.description.layers if kind is None or layer.kind == kind])


@router.get(
    "/v1/models/{model}/labels",
    operation_id="search_labels",
    summary="A model's classes",
    response_model=list[ClassLabel],
    responses=documented(404, 422, 503),
)
async def search_labels(
    model: Name,
    services: ServicesDep,
    q: Annotated[str | None, Query(max_length=256, description="Part of the label, case ignored.", examples=["cat"])] = None,
) -> Response:
    """A model without labels answers its class indices, and nothing to a search."""
    published = await services.models.published(services.models.entry(model, None))
    wanted = (q or "").strip().casefold()
    classes = [ClassLabel(class_index=index, label=published.label_of(index)) for index in range(published.description.classes or 0)]
    return list_response([each for each in classes if not wanted or wanted in (each.label or "").casefold()])
