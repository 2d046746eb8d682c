"""Submissions and jobs: one union, told apart by `method`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from schemas.jobs import JOB_CLASSES, JOB_REQUEST_CLASSES, JobState, example_request, job_adapter, job_request_adapter
from schemas.methods import METHODS

JOB: dict[str, Any] = {
    "id": "01K5YQZ7T8Y1W4V9N3M2XQJ6RD",
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
def test_a_request_has_its_methods_params(method: str) -> None:
    request = job_request_adapter.validate_python(example_request(method))
    assert type(request) is JOB_REQUEST_CLASSES[method]
    assert type(request.params) is METHODS[method]
    assert job_request_adapter.validate_json(job_request_adapter.dump_json(request)) == request


@pytest.mark.parametrize("method", METHODS)
def test_a_job_has_its_methods_params(method: str) -> None:
    job = job_adapter.validate_python(JOB | {"method": method, "params": METHODS[method].card.example})
    assert type(job) is JOB_CLASSES[method]
    assert type(job.params) is METHODS[method]
    assert job_adapter.validate_json(job_adapter.dump_json(job)) == job


def test_params_of_one_method_are_not_anothers() -> None:
    with pytest.raises(ValidationError, match=r"grad_cam\.params\.top"):
        job_request_adapter.validate_python({"method": "grad_cam", "model": "vgg16", "params": {"top": 5}})


@pytest.mark.parametrize(
    "change",
    [{"method": "gradcam"}, {"method": None}, {"model": "../x"}, {"model": "A"}, {"image": {}}, {"image": {"id": "img_1"}}, {"extra": 1}],
)
def test_what_is_no_request(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        job_request_adapter.validate_python({"method": "grad_cam", "model": "vgg16"} | change)


def test_states_that_are_ends() -> None:
    assert {state for state in JobState if state.ended} == {"succeeded", "failed", "canceled", "expired"}


def test_times_are_utc_on_the_wire() -> None:
    job = job_adapter.validate_python(JOB | {"method": "predict", "params": {}})
    assert b'"created_at":"2026-01-02T00:00:00Z"' in job_adapter.dump_json(job)
