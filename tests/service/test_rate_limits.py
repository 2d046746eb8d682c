"""The limits of one caller: its requests, its jobs under way, and the time after which it should come again."""

from __future__ import annotations

import re
import time

import httpx
import pytest

from jobstore.store import JobStore
from service.access_rules import counted_as
from service.app import create_app
from service.one_line_address import ONE_LINE_PATH
from service.rate_limits import caller_at
from service.settings import ServiceSettings
from tests.redis_servers import open_redis
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker
from tests.service.keys import caller
from tests.service.test_errors import problem_of
from tests.service.test_submit import cam


def limited(settings: ServiceSettings, **changes: object) -> ServiceSettings:
    few = {"auth": "required", "max_submissions_per_minute": 3, "max_reads_per_minute": 5}
    return settings.model_copy(update=few | changes)


def rates(answer: httpx.Response) -> tuple[str, int, int]:
    """Return the name of the policy, what remains, and after how many seconds the quota is whole."""
    found = re.fullmatch(r'"(\w+)";r=(\d+);t=(\d+)', answer.headers["ratelimit"])
    assert found
    return found[1], int(found[2]), int(found[3])


async def test_submissions_are_counted_and_refused(settings: ServiceSettings, store: JobStore, worker: FakeWorker) -> None:
    """Three in 60 s: one comes back every 20 s."""
    app = create_app(limited(settings), store)
    async with caller(app, store, "ada") as ada, caller(app, store, "ada") as again, caller(app, store, "bob") as bob:
        for number in range(3):
            answer = await ada.post("/v1/jobs", json=cam(params={"alpha": number / 10}))
            assert answer.status_code == 202
            assert answer.headers["ratelimit-policy"] == '"submissions";q=3;w=60, "reads";q=5;w=60'
            kind, remaining, whole = rates(answer)
            assert (kind, remaining) == ("submissions", 2 - number)
            assert 20 * number < whole <= 20 * (number + 1)
        for client in (ada, again):  # another key of the same owner has the same quota
            answer = await client.post("/v1/grad_cam", data={"model": "vgg16"})
            problem = problem_of(answer, 429, "rate_limited")
            assert (problem.allowed, problem.retryable, rates(answer)[:2]) == ("3 in 60 s", True, ("submissions", 0))
            assert 0 < int(answer.headers["retry-after"]) <= 20
        assert rates(await ada.get("/v1/jobs"))[:2] == ("reads", 4)
        assert rates(await bob.post("/v1/jobs", json={}))[:2] == ("submissions", 2)


async def test_reads_have_their_own_quota_and_refusals_take_nothing(settings: ServiceSettings, store: JobStore) -> None:
    app = create_app(limited(settings), store)
    async with caller(app, store, "ada") as ada:
        statuses = [(await ada.get("/v1/methods/filters")).status_code for _ in range(8)]
        assert statuses == [200] * 5 + [429] * 3
        assert int((await ada.get("/v1/jobs")).headers["retry-after"]) <= 12
        assert (await ada.post("/v1/jobs", json={})).status_code == 422
        for path in ("/livez", "/docs"):
            answer = await ada.get(path)
            assert (answer.status_code, "ratelimit" in answer.headers) == (200, False)


async def test_nobody_is_limited_on_loopback_without_keys(settings: ServiceSettings, store: JobStore, worker: FakeWorker) -> None:
    app = create_app(limited(settings, auth="off", max_queued_per_caller=2), store)
    async with client_of(app) as client:
        for number in range(8):
            answer = await client.post("/v1/jobs", json=cam(params={"alpha": number / 10}))
            assert (answer.status_code, "ratelimit" in answer.headers) == (202, False)


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("203.0.113.7", "address:203.0.113.7"),
        ("::ffff:203.0.113.7", "address:203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "address:2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "address:2001:db8:1:2::"),
        ("127.0.0.1", None),
        ("::1", None),
        ("testclient", None),
        (None, None),
    ],
)
def test_an_address_names_a_caller(address: str | None, name: str | None) -> None:
    assert caller_at(address) == name


async def test_callers_without_keys_can_be_told_apart_by_their_address(settings: ServiceSettings, store: JobStore) -> None:
    app = create_app(limited(settings, auth="off", limit_by_address=True, max_reads_per_minute=1), store)
    for address, statuses in (("203.0.113.7", [200, 429]), ("203.0.113.8", [200, 429]), ("127.0.0.1", [200, 200])):
        transport = httpx.ASGITransport(app=app, client=(address, 1234))
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            assert [(await client.get("/v1/jobs")).status_code for _ in statuses] == statuses


async def test_a_caller_has_a_number_of_jobs_under_way_and_another_is_not_held_up(
    settings: ServiceSettings, store: JobStore, worker: FakeWorker
) -> None:
    tight = limited(settings, max_submissions_per_minute=0, max_queued_per_caller=2)
    other_store = JobStore.connect(settings.redis_url or "", tight)
    app = create_app(tight, other_store)
    async with caller(app, store, "ada") as ada, caller(app, store, "bob") as bob:
        for number in range(2):
            assert (await ada.post("/v1/jobs", json=cam(params={"alpha": number / 10}))).status_code == 202
        problem = problem_of(await ada.post("/v1/jobs", json=cam(params={"alpha": 0.9})), 429, "caller_limit")
        assert (problem.allowed, problem.got) == ("2", "2")
        assert (await bob.post("/v1/jobs", json=cam(params={"alpha": 0.9}))).status_code == 202
        await worker.work()
        assert (await ada.post("/v1/jobs", json=cam(params={"alpha": 0.8}))).status_code == 202
    await other_store.close()


def just_now() -> int:
    """Return the time in milliseconds since 1970. What ended more than ten minutes ago does not count."""
    return round(time.time() * 1000)


async def test_retry_after_follows_the_rate_at_which_the_callers_jobs_end(
    settings: ServiceSettings, store: JobStore, worker: FakeWorker
) -> None:
    """Two jobs have ended in 27 s of work, so one ends in 13.5 s."""
    tight = limited(settings, max_submissions_per_minute=0, max_queued_per_caller=2)
    other_store = JobStore.connect(settings.redis_url or "", tight)
    app = create_app(tight, other_store)
    async with caller(app, store, "ada") as ada:
        for number in range(2):
            await ada.post("/v1/jobs", json=cam(params={"alpha": number / 10}))
        answer = await ada.post("/v1/jobs", json=cam(params={"alpha": 0.9}))
        assert answer.headers["retry-after"] == "5", "nothing has ended yet"
        with open_redis(settings.redis_url or "") as redis:
            redis.hset("convscope:{0}:drained:ada", mapping={"last": just_now(), "count": 2, "busy": 27_000})
            redis.expire("convscope:{0}:drained:ada", 600)
            answer = await ada.post("/v1/jobs", json=cam(params={"alpha": 0.9}))
            assert answer.headers["retry-after"] == "14"
            redis.hset("convscope:{0}:drained:ada", mapping={"last": just_now() - 600_001})
        answer = await ada.post("/v1/jobs", json=cam(params={"alpha": 0.9}))
        assert answer.headers["retry-after"] == "5", "nothing has ended for ten minutes"
    await other_store.close()


async def test_retry_after_of_a_full_queue_follows_the_rate_at_which_it_drains(
    settings: ServiceSettings, store: JobStore, worker: FakeWorker
) -> None:
    tight = limited(settings, auth="off", max_queued=1)
    other_store = JobStore.connect(settings.redis_url or "", tight)
    async with client_of(create_app(tight, other_store)) as client:
        assert (await client.post("/v1/jobs", json=cam())).status_code == 202
        with open_redis(settings.redis_url or "") as redis:
            redis.hset("convscope:{0}:drained:all", mapping={"last": just_now(), "count": 4, "busy": 130_000})
            redis.expire("convscope:{0}:drained:all", 600)
            answer = await client.post("/v1/jobs", json=cam(params={"alpha": 0.9}))
            problem_of(answer, 503, "queue_full")
            assert answer.headers["retry-after"] == "33"
            redis.hset("convscope:{0}:drained:all", mapping={"count": 1, "busy": 9_000_000})
        answer = await client.post("/v1/jobs", json=cam(params={"alpha": 0.9}))
        assert answer.headers["retry-after"] == "600", "nobody is sent away for longer than ten minutes"
    await other_store.close()


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("POST", "/v1/jobs", "submissions"),
        ("POST", ONE_LINE_PATH, "submissions"),
        ("POST", "/v1/batches", "submissions"),
        ("POST", "/v1/images", "reads"),
        ("POST", "/v1/jobs/{job_id}/cancel", "reads"),
        ("GET", "/v1/jobs", "reads"),
        ("DELETE", "/v1/jobs/{job_id}", "reads"),
    ],
)
def test_what_makes_work_counts_as_a_submission(method: str, path: str, kind: str) -> None:
    assert counted_as(method, path) == kind
