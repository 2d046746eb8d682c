"""The routes under `/v1/models`, which describe the models, their layers and their classes."""

from __future__ import annotations

from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Path, Query, Response

from schemas.models import ClassLabel, Layer, LayerKind, ModelDescription, ModelSummary
from service.dependencies import ServicesDep
from service.problems import documented
from service.responses import list_response, model_response

router = APIRouter(tags=["discovery"])

NameInPath = Annotated[str, Path(description="This is the name of a model, as `GET /v1/models` lists it.", examples=["efficientnet_lite0"])]


@router.get(
    "/v1/models", operation_id="list_models", summary="List the models", response_model=list[ModelSummary], responses=documented(503)
)
async def list_models(services: ServicesDep) -> Response:
    """Fields that are known only when the model is loaded are null until a worker has described it. A model whose settings or file have a
    fault is listed as `unusable`, with the reason."""
    return list_response(await services.models.summaries())


@router.get(
    "/v1/models/{model}",
    operation_id="get_model",
    summary="Describe a model",
    response_model=ModelDescription,
    responses=documented(404, 422, 503),
)
async def get_model(model: NameInPath, services: ServicesDep) -> Response:
    """The answer holds the layers with the paths that each one reads, as a graph. If no worker has described the model yet, one loads
    it first."""
    return model_response(await services.models.description(await services.models.entry(model, None)))


@router.get(
    "/v1/models/{model}/layers",
    operation_id="list_layers",
    summary="List a model's layers",
    response_model=list[Layer],
    responses=documented(404, 422, 503),
)
async def list_layers(
    model: NameInPath,
    services: ServicesDep,
    kind: Annotated[
        LayerKind | None, Query(description="Only layers of this kind are listed. Without it, all layers are.", examples=["conv"])
    ] = None,
) -> Response:
    """The layers come in the model's own order."""
    published = await services.models.published(await services.models.entry(model, None))
    return list_response([layer for layer in published.description.layers if kind is None or layer.kind == kind])


@router.get(
    "/v1/models/{model}/labels",
    operation_id="search_labels",
    summary="Search a model's classes",
    response_model=list[ClassLabel],
    responses=documented(404, 422, 503),
)
async def search_labels(
    model: NameInPath,
    services: ServicesDep,
    q: Annotated[
        str | None,
        Query(max_length=256, description="Only classes whose label contains this text are listed; case is ignored.", examples=["cat"]),
    ] = None,
) -> Response:
    """If the model has no labels, the answer without `q` holds class indices alone, and a search finds nothing."""
    published = await services.models.published(await services.models.entry(model, None))
    wanted = (q or "").strip().casefold()

    def found() -> Response:
        classes = [ClassLabel(class_index=index, label=published.label_of(index)) for index in range(published.description.classes or 0)]
        return list_response([each for each in classes if not wanted or wanted in (each.label or "").casefold()])

    return await anyio.to_thread.run_sync(found)  # 22,000 classes take 0.1 s
