"""The routes `/livez`, `/readyz` and `/metrics`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter, Response

from jobstore.records import QueueDepth
from schemas.errors import BrokerUnavailable
from schemas.health import Liveness, Readiness, ReadinessStatus, WorkerStatus
from service.dependencies import Services, ServicesDep
from service.metrics import CONTENT_TYPE
from service.responses import model_response

router = APIRouter(tags=["operations"])

_BROKER_TIMEOUT = 3.0  # seconds after which the broker counts as away


@router.get("/livez", operation_id="livez", summary="Ask whether the process answers", response_model=Liveness)
async def livez() -> Response:
    """Answer as long as the process runs. It does not ask the broker."""
    return model_response(Liveness())


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Ask whether the service can take jobs",
    response_model=Readiness,
    response_description="The service takes jobs. The status is `ready`, or `starting` if no worker is alive to run them yet.",
    responses={503: {"model": Readiness, "description": "The broker does not answer, or the service is shutting down."}},
)
async def readyz(services: ServicesDep) -> Response:
    """Tell whether the broker answers, which workers are alive, and how many jobs are queued in each lane."""
    depth, workers = await _queue_and_workers(services)
    status = _status(services, depth, workers)
    lanes = {lane: lane_depth.queued for lane, lane_depth in depth.lanes.items()} if depth else {}
    readiness = Readiness(status=status, workers=tuple(workers), queue_depth={str(lane): queued for lane, queued in lanes.items()})
    return model_response(readiness) if status in ("ready", "starting") else model_response(readiness, 503, {"Retry-After": "5"})


def _status(services: Services, depth: QueueDepth | None, workers: Sequence[WorkerStatus]) -> ReadinessStatus:
    if services.drain.begun:
        return "draining"
    if depth is None:
        return "broker_unavailable"
    return "ready" if any(not worker.draining for worker in workers) else "starting"


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Read the metrics",
    response_class=Response,
    responses={200: {"description": "The metrics in Prometheus' text format.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(services: ServicesDep) -> Response:
    """Answer the service's counters and the state of the queue for Prometheus."""
    depth, workers = await _queue_and_workers(services)
    evictions = {} if depth is None else await services.store.evictions()
    return Response(services.metrics.render(depth, workers, evictions), media_type=CONTENT_TYPE)


async def _queue_and_workers(services: Services) -> tuple[QueueDepth | None, list[WorkerStatus]]:
    """Return the queue's depth and the workers that are alive; None and an empty list if the broker does not answer in time."""
    try:
        async with asyncio.timeout(_BROKER_TIMEOUT):
            return await services.store.queue.depth(), await services.store.workers.alive()
    except (BrokerUnavailable, TimeoutError):
        return None, []
