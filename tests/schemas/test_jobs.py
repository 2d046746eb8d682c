"""Jobs: one union of models, told apart by `method`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.jobs import JOB_CLASSES, JobState, job_adapter
from schemas.methods import METHODS

JOB: dict[str, Any] = {
    "id": "01K5YQZ7T8Y1W4V9N3M2XQJ6RD",
    "url": "/v1/jobs/01K5YQZ7T8Y1W4V9N3M2XQJ6RD",
    "events_url": "/v1/jobs/01K5YQZ7T8Y1W4V9N3M2XQJ6RD/events",
    "model": "vgg16",
    "state": "queued",
    "priority": "normal",
    "progress": None,
    "queue_position": 0,
    "attempts": 0,
    "cached": False,
    "created_at": datetime(2026, 1, 2, tzinfo=UTC),
    "started_at": None,
    "finished_at": None,
    "expires_at": datetime(2026, 1, 3, tzinfo=UTC),
    "timings": {},
    "facts": None,
    "warnings": (),
    "artifacts": (),
    "provenance": None,
    "error": None,
}


@pytest.mark.parametrize("method", METHODS)
def test_a_job_has_the_params_of_its_method(method: str) -> None:
    job = job_adapter.validate_python(JOB | {"method": method, "params": METHODS[method].card.example})
    assert type(job) is JOB_CLASSES[method]
    assert type(job.params) is METHODS[method]
    assert job_adapter.validate_json(job_adapter.dump_json(job)) == job


def test_which_states_are_ends() -> None:
    assert {state for state in JobState if state.ended} == {"succeeded", "failed", "canceled", "expired"}


def test_times_are_utc_on_the_wire() -> None:
    job = job_adapter.validate_python(JOB | {"method": "predict", "params": {}})
    assert b'"created_at":"2026-01-02T00:00:00Z"' in job_adapter.dump_json(job)
