"""Submissions and results, and short forms of what many tests do with a store."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from jobstore.records import Execution, Result, StoredEvent, Submission
from jobstore.store import JobStore
from schemas.artifacts import EncodedArtifact
from schemas.jobs import JobState, Provenance, Timings
from tests.wait import until

PHOTO = bytes(range(256)) * 5
LEASE = 0.3  # seconds, in the store `short`


def submission(number: int = 0, **changes: Any) -> Submission:
    """Return a submission of `ann`, who is its owner and the caller whose limits apply. Those with equal numbers ask for equal work."""
    fields: dict[str, Any] = {
        "owner": "ann",
        "method": "grad_cam",
        "model": "tiny",
        "lane": "fast",
        "priority": "normal",
        "params": f'{{"class_index":{number}}}',
        "fingerprint": "f1",
        "image": PHOTO,
        "request_id": f"request-{number}",
        "caller": changes.get("owner", "ann"),
    }
    return Submission(**(fields | changes))


def result(content: bytes = b"\x89PNG map \xff\x00", **changes: Any) -> Result:
    """Return a result with two artifacts: the primary image `overlay` with the bytes `content`, and the array `map` of three bytes."""
    fields: dict[str, Any] = {
        "artifacts": (
            EncodedArtifact.of(content, name="overlay", kind="image", shape=(3, 5, 3), dtype="uint8", primary=True),
            EncodedArtifact.of(b"\x01\x02\x03", name="map", kind="array", shape=(3,), dtype="uint8"),
        ),
        "facts": '{"class_index":2,"label":"Ägyptische Katze"}',
        "warnings": ("the map is zero",),
        "timings": Timings(decode=1, device=2, render=3),
        "provenance": Provenance(model_fingerprint="f1", seed=7, precision="float32", device="CPU:0", versions={"keras": "3"}),
    }
    return Result(**(fields | changes))


async def claim_one(store: JobStore, worker: str = "w1", lane: Any = "fast", block: float = 0) -> Execution:
    [execution] = await store.queue.claim(worker, lane, 1, block)
    return execution


async def run_one(store: JobStore, outcome: Result | None = None) -> Execution:
    """Claim the next fast execution and complete it."""
    execution = await claim_one(store)
    assert await store.queue.complete(execution, outcome or result())
    return execution


async def heard(events: AsyncIterator[StoredEvent | None]) -> list[tuple[int, str, str]]:
    """Return all events up to the end, without the None that stands for a ping."""
    return [(event.sequence, event.type, event.data) async for event in events if event is not None]


async def state_of(store: JobStore, job_id: str, owner: str = "ann") -> JobState | None:
    job = await store.jobs.read(job_id, owner)
    return job and job.state


async def taken_over(store: JobStore, worker: str) -> Execution:
    """Wait until a lease of the store `short` has run out, and return the execution that `worker` takes over."""
    found: list[Execution] = []

    async def claimed() -> bool:
        found.extend(await store.queue.claim(worker, "fast", 1, LEASE))
        return bool(found)

    await until(claimed)
    return found[0]
