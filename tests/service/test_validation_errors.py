"""Requests with several wrong fields. The problem reports each of them."""

from __future__ import annotations

import httpx
import pytest

from tests.service.fake_worker import FakeWorker
from tests.service.test_errors import problem_of
from tests.service.test_submit import BASE64, cam


async def test_every_wrong_field_is_reported(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    body = cam(
        priority="urgent",
        params={"alpha": 2, "colormap": "jett", "clas_index": 1, "class_index": [1, {}]},
        image={"url": "x"},
        parms=1,
    )
    problem = problem_of(await client.post("/v1/jobs", json=body), 422, "invalid_parameters")
    found = {error.pointer: (error.allowed, error.got, error.nearest) for error in problem.errors}
    assert found == {
        "/priority": ("one of high, normal, low", "urgent", None),
        "/parms": ("method, model, image, inputs, params, priority, webhook, fit", "parms", ("params",)),
        "/params/alpha": ("a number ≤ 1", "2", None),
        "/params/colormap": ("one of jet, viridis, inferno, magma, plasma, turbo, hot, gray", "jett", ("jet",)),
        "/params/class_index/1": ("an integer or text", "{}", None),
        "/params/clas_index": (found["/params/clas_index"][0], "clas_index", ("class_index",)),
    }
    assert problem.pointer == problem.errors[0].pointer
    assert "3 more fields are wrong" in problem.detail
    assert not problem.retryable


@pytest.mark.parametrize(
    ("stage", "pointer", "allowed", "got"),
    [
        ({"cnv": {"filters": 3}}, "/cnv", "conv, relu, max_pool, average_pool", "cnv"),
        ({"conv": {"filters": "x", "kernel": 3}}, "/conv/filters", "an integer", "x"),
        ({"relu": {"slope": 1}}, "/relu/slope", "nothing", "slope"),
        (3, "", "an object", "3"),
    ],
)
async def test_a_union_reports_the_branch_that_was_meant(
    client: httpx.AsyncClient, worker: FakeWorker, stage: object, pointer: str, allowed: str, got: str
) -> None:
    body = {"method": "sandbox", "image": {"base64": BASE64}, "params": {"stages": [{"relu": {}}, stage]}}
    problem = problem_of(await client.post("/v1/jobs", json=body), 422, "invalid_parameters")
    assert [(error.pointer, error.allowed, error.got) for error in problem.errors] == [(f"/params/stages/1{pointer}", allowed, got)]


async def test_an_unknown_method_is_reported_with_the_other_fields(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    answer = await client.post("/v1/jobs", json=cam(method="grad_can", priority="urgent"))
    problem = problem_of(answer, 422, "unknown_method")
    assert [error.pointer for error in problem.errors] == ["/method", "/priority"]
    assert problem.errors[0].nearest == problem.nearest


async def test_every_wrong_query_parameter_is_reported(client: httpx.AsyncClient) -> None:
    problem = problem_of(await client.get("/v1/jobs?limit=999&state=runing&method=grad_cam"), 422, "invalid_parameters")
    assert [(error.pointer, error.allowed, error.got, error.nearest) for error in problem.errors] == [
        ("/state", "one of queued, running, succeeded, failed, canceled, expired", "runing", ("running",)),
        ("/limit", "a number ≤ 200", "999", None),
    ]
    assert problem.errors[1].detail == "The query parameter 'limit' must be a number ≤ 200; got 999."


async def test_the_list_of_wrong_fields_is_bounded(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    problem = problem_of(await client.post("/v1/jobs", json=cam(params={"class_index": [{}] * 10_000})), 422, "invalid_parameters")
    assert len(problem.errors) == 50
    assert "9997 more fields are wrong" in problem.detail


async def test_a_problem_of_no_field_has_no_errors(client: httpx.AsyncClient) -> None:
    problem = problem_of(await client.get("/v1/jobs/nothing"), 404, "not_found")
    assert (problem.errors, problem.pointer) == ((), None)
