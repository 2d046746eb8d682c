"""`/livez`, `/readyz`, `/metrics`, and what stands at `/`."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict

from jobstore.records import QueueDepth
from schemas.errors import BrokerUnavailable
from schemas.health import Liveness, Readiness, WorkerStatus
from service.dependencies import Services, ServicesDep
from service.metrics import CONTENT_TYPE
from service.responses import model_response

router = APIRouter(tags=["operations"])

_PATIENCE = 3.0  # seconds in which a broker has to answer to count as there


class Welcome(BaseModel):
    """Where to go from here."""

    model_config = ConfigDict(frozen=True)

    name: str = "convscope"
    docs: str = "/docs"
    openapi: str = "/openapi.json"
    methods: str = "/v1/methods"
    models: str = "/v1/models"


@router.get("/", operation_id="welcome", summary="Where to go from here", response_model=Welcome)
async def welcome() -> Response:
    return model_response(Welcome())


@router.get("/livez", operation_id="livez", summary="The process answers", response_model=Liveness)
async def livez() -> Response:
    return model_response(Liveness())


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="The broker answers",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "The broker does not answer, or the service is ending."}},
)
async def readyz(services: ServicesDep) -> Response:
    depth, workers = await _seen(services)
    status = "draining" if services.drain.begun else "broker_unavailable" if depth is None else "ready"
    lanes = {lane: lane_depth.queued for lane, lane_depth in depth.lanes.items()} if depth else {}
    readiness = Readiness(status=status, workers=tuple(workers), queue_depth={str(lane): queued for lane, queued in lanes.items()})
    return model_response(readiness) if status == "ready" else model_response(readiness, 503, {"Retry-After": "5"})


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Figures for Prometheus",
    response_class=Response,
    responses={200: {"description": "Prometheus text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(services: ServicesDep) -> Response:
    return Response(services.metrics.render(*await _seen(services)), media_type=CONTENT_TYPE)


async def _seen(services: Services) -> tuple[QueueDepth | None, list[WorkerStatus]]:
    try:
        async with asyncio.timeout(_PATIENCE):
            return await services.store.queue.depth(), await services.store.workers.alive()
    except (BrokerUnavailable, TimeoutError):
        return None, []
