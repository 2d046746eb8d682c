"""The routes under `/v1/batches`: make a batch, look at it, list batches, cancel one, delete one."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from schemas.batches import Batch, BatchPage, batch_url
from service.auth import OwnerDep
from service.batches.batch_answer import BatchDep, batch_answer, found
from service.batches.receive_batch import JSON, JSON_LINES, receive_batch
from service.dependencies import CallerDep, ServicesDep
from service.job_wait import until_answered
from service.problems import documented
from service.request_preferences import PreferencesDep
from service.responses import model_response

router = APIRouter(tags=["batches"])

_EXAMPLE = {
    "defaults": {"method": "grad_cam", "model": "efficientnet_lite0", "params": {"alpha": 0.5}},
    "items": [
        {"custom_id": "cat.jpg", "image": {"id": "img_" + "0" * 64}},
        {"custom_id": "dog.jpg", "image": {"id": "img_" + "1" * 64}, "params": {"class_index": 207}},
    ],
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {"schema": {"$ref": "#/components/schemas/BatchRequest"}, "example": _EXAMPLE},
            JSON_LINES: {
                "schema": {"type": "string", "description": 'An item in each line. The first line may be `{"defaults": {…}}`.'},
                "example": "\n".join(json.dumps(line) for line in ({"defaults": _EXAMPLE["defaults"]}, *_EXAMPLE["items"])),
            },
        },
    }
}


@router.post(
    "/v1/batches",
    operation_id="submit_batch",
    summary="Submit many jobs at once",
    status_code=202,
    response_model=Batch,
    response_description="The batch is accepted.",
    responses=documented(400, 404, 413, 415, 422, 429, 502, 503),
    openapi_extra=_BODY,
)
async def submit_batch(request: Request, services: ServicesDep, caller: CallerDep, preferences: PreferencesDep) -> Response:
    """The body is JSON with `defaults` and `items`, or JSON Lines with an item in each line. It is read while it arrives, so it may be
    long. An item is a submission as for `POST /v1/jobs`, laid over the defaults. A wrong item fails alone, and the others run. Items
    wait behind other jobs, because their priority is `low` unless told, and they do not count towards the limit of queued jobs."""
    batch, _ = await receive_batch(request, services, caller, preferences.idempotency_key)
    return model_response(await batch_answer(services, batch), 202, {"Location": batch_url(batch.id), "Retry-After": "5"})


@router.get(
    "/v1/batches", operation_id="list_batches", summary="List your batches", response_model=BatchPage, responses=documented(422, 503)
)
async def list_batches(
    services: ServicesDep,
    owner: OwnerDep,
    cursor: Annotated[
        str | None, Query(max_length=256, description="The `next_cursor` of the page before. Without it, the first page is answered.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200, description="A page has at most this many batches.")] = 50,
) -> Response:
    """The newest batch comes first."""
    batches, next_cursor = await services.store.batches.page(owner, cursor, limit)
    answers = [await batch_answer(services, batch) for batch in batches]
    return model_response(BatchPage(items=tuple(answers), next_cursor=next_cursor))


@router.get(
    "/v1/batches/{batch_id}",
    operation_id="get_batch",
    summary="Look at a batch",
    response_model=Batch,
    responses=documented(404, 422, 503),
)
async def get_batch(
    request: Request,
    services: ServicesDep,
    batch: BatchDep,
    wait: Annotated[
        float, Query(ge=0, description="The answer waits up to this many seconds for the batch's end, at most 60.", examples=[30])
    ] = 0,
) -> Response:
    """The answer is the batch with its state and its counts. It comes at once unless `wait` is given."""
    if batch.state == "running" and wait > 0:
        store, seconds = services.store.batches, min(wait, services.settings.max_wait)
        waited = await until_answered(services, store.wait(batch.id, batch.owner, seconds), request)
        batch = found(waited.answer if waited else await store.read(batch.id, batch.owner), batch.id)
    return model_response(await batch_answer(services, batch))


@router.post(
    "/v1/batches/{batch_id}/cancel",
    operation_id="cancel_batch",
    summary="Cancel a batch",
    status_code=202,
    response_model=Batch,
    response_description="The batch is canceled. Its items end one after the other; `canceling` is true until then.",
    responses={200: {"model": Batch, "description": "The batch was canceled before."}} | documented(404, 409, 503),
)
async def cancel_batch(services: ServicesDep, batch: BatchDep) -> Response:
    """Items that have not ended are canceled. The others keep their results."""
    status = 200 if batch.state == "canceled" else 202
    return model_response(await batch_answer(services, await services.store.batches.cancel(batch.id, batch.owner)), status)


@router.delete(
    "/v1/batches/{batch_id}",
    operation_id="delete_batch",
    summary="Delete a batch, its jobs and their artifacts",
    status_code=204,
    responses=documented(404, 503),
)
async def delete_batch(services: ServicesDep, batch: BatchDep) -> Response:
    """The batch is gone at once. Its jobs are canceled and deleted within a short time."""
    await services.store.batches.delete(batch.id, batch.owner)
    return Response(status_code=204)
