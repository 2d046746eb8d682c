"""Submissions and results for the tests of the workers, as the service and the workers would hand them to the store."""

from __future__ import annotations

import hashlib
import itertools
import json

from jobstore.records import JobRecord, Result, Submission
from jobstore.store import JobStore
from schemas.artifacts import EncodedArtifact
from schemas.jobs import Provenance, Timings
from schemas.limits import MethodLimits
from schemas.methods import params_class
from schemas.methods.card import Lane
from schemas.models import PublishedModel

OWNER = "tester"
_numbers = itertools.count()


def submission(
    *,
    method: str = "predict",
    model: str = "m",
    lane: Lane = "fast",
    params: str | None = None,
    image: bytes = b"photo",
    model_digest: str = "",
) -> Submission:
    """Return a submission. No two are equal unless `params` are given, so that none joins the execution of another."""
    return Submission(
        owner=OWNER,
        method=method,
        model=model,
        lane=lane,
        priority="normal",
        params=params if params is not None else f'{{"top":{next(_numbers)}}}',
        fingerprint=hashlib.sha256(model.encode()).hexdigest(),
        model_digest=model_digest,
        image=image,
        request_id="req-1",
        body_digest=hashlib.sha256(image).hexdigest(),
    )


def resolved(method: str, published: PublishedModel, image: bytes | None = None, **params: object) -> Submission:
    """Return a submission of `method` with parameters that are complete for the model, as the service stores it.

    Its pictures are bare, unless `params` say otherwise.
    """
    bare = {"annotate": False} if "annotate" in params_class(method).model_fields else {}
    model = params_class(method).model_validate(bare | params).resolve(published, MethodLimits())
    return Submission(
        owner=OWNER,
        method=method,
        model=published.description.name,
        lane=model.card.lane,
        priority="normal",
        params=model.model_dump_json(),
        fingerprint=published.description.fingerprint,
        model_digest=published.digest,
        image=image,
        request_id="req-2",
        fresh=True,
    )


def result(text: str = "ok") -> Result:
    return Result(
        artifacts=(EncodedArtifact.of(text.encode(), name="note", kind="array", shape=(len(text),), dtype="uint8"),),
        facts="{}",
        warnings=(),
        timings=Timings(queued=1, decode=2, device=3, render=4),
        provenance=Provenance(model_fingerprint="f", precision="float32", device="CPU:0", versions={}),
    )


async def submit(store: JobStore, name: str, **changes: object) -> str:
    """Submit a job with the parameter `name` and return its id."""
    return (await store.jobs.submit(submission(params=json.dumps({"name": name}), **changes))).job.id  # type: ignore[arg-type]


async def job(store: JobStore, job_id: str) -> JobRecord:
    record = await store.jobs.read(job_id, OWNER)
    assert record is not None
    return record
