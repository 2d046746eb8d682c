"""Calls are repeated where the service allows it and a repetition does no harm, and broken streams go on where they broke."""

from __future__ import annotations

import json
from collections.abc import Callable

import httpx
import pytest

from convscope import AsyncClient, CallerLimitError, InvalidRequestError, NetworkError, RetryPolicy
from tests.service.fake_worker import FakeWorker, png

_QUICK = RetryPolicy(attempts=4, backoff=0.001)
_JOB = {"id": "01J", "state": "queued", "method": "filters", "model": "m"}


class _Answers(httpx.AsyncBaseTransport):
    """A network that gives prepared answers, or breaks, one after the other."""

    def __init__(self, *answers: httpx.Response | httpx.TransportError) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0)
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer


def refused(code: str, status: int, *, retryable: bool, after: str | None = None) -> httpx.Response:
    headers = {} if after is None else {"Retry-After": after}
    return httpx.Response(status, json={"code": code, "detail": "No.", "status": status, "retryable": retryable}, headers=headers)


def client_of(network: httpx.AsyncBaseTransport, policy: RetryPolicy = _QUICK) -> AsyncClient:
    return AsyncClient("http://service", retries=policy, transport=network)


async def test_a_retryable_problem_and_a_broken_connection_are_repeated_with_one_key() -> None:
    broken = httpx.ReadError("The connection broke.")
    network = _Answers(refused("queue_full", 503, retryable=True, after="0"), broken, httpx.Response(202, json=_JOB))
    async with client_of(network) as client:
        assert (await client.submit("filters", model="m")).id == "01J"
    keys = {request.headers["Idempotency-Key"] for request in network.requests}
    assert (len(network.requests), len(keys)) == (3, 1)
    assert json.loads(network.requests[2].content) == {"method": "filters", "model": "m", "params": {}}


async def test_what_is_not_retryable_is_raised_at_once() -> None:
    network = _Answers(refused("invalid_parameters", 422, retryable=False))
    async with client_of(network) as client:
        with pytest.raises(InvalidRequestError):
            await client.submit("filters", model="m")


async def test_the_last_problem_is_raised_when_repeating_does_not_help() -> None:
    network = _Answers(*(refused("rate_limited", 429, retryable=True, after="0") for _ in range(4)))
    async with client_of(network) as client:
        with pytest.raises(CallerLimitError) as caught:
            await client.models()
    assert (len(network.requests), caught.value.retry_after) == (4, 0)


async def test_a_longer_wait_than_allowed_is_not_begun() -> None:
    network = _Answers(refused("rate_limited", 429, retryable=True, after="3600"))
    async with client_of(network) as client:
        with pytest.raises(CallerLimitError):
            await client.models()


async def test_a_service_that_is_not_there_is_a_network_error() -> None:
    network = _Answers(*(httpx.ConnectError("refused") for _ in range(4)))
    async with client_of(network) as client:
        with pytest.raises(NetworkError, match=r"http://service/? does not answer GET /v1/models: refused"):
            await client.models()


def test_the_delay_follows_retry_after_and_doubles_without_it() -> None:
    policy, broken = RetryPolicy(attempts=9, backoff=2.0), httpx.ReadError("broken")
    delays = [policy.delay(attempt, broken, 0.0) for attempt in range(1, 9)]
    assert all(delay is not None and 0.5 <= delay / min(30.0, 2.0**attempt) <= 1 for attempt, delay in enumerate(delays, 1))
    assert policy.delay(9, broken, 0.0) is None
    asked = CallerLimitError({"code": "caller_limit", "retryable": True}, retry_after=7.0)
    delay = policy.delay(1, asked, 0.0)
    assert delay is not None
    assert 7 <= delay <= 8


class _Cut(httpx.AsyncByteStream):
    """A body that breaks after some bytes."""

    def __init__(self, whole: bytes, length: int) -> None:
        self._part = whole[:length]

    async def __aiter__(self):  # type: ignore[no-untyped-def]
        yield self._part
        raise httpx.ReadError("The connection broke.")


class _CutsTheFirstStream(httpx.AsyncBaseTransport):
    """The real network, on which the first answer of `path` breaks after the first event."""

    def __init__(self, is_stream: Callable[[httpx.Request], bool], mark: bytes) -> None:
        self._inner, self._is_stream, self._mark = httpx.AsyncHTTPTransport(), is_stream, mark
        self.streams: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        answer = await self._inner.handle_async_request(request)
        if not self._is_stream(request):
            return answer
        self.streams.append(request)
        if len(self.streams) > 1:
            return answer
        whole = await answer.aread()
        await answer.aclose()
        return httpx.Response(answer.status_code, headers=answer.headers, stream=_Cut(whole, whole.index(self._mark) + len(self._mark)))

    async def aclose(self) -> None:
        await self._inner.aclose()


async def test_a_cut_event_stream_goes_on_after_the_last_event(url: str, worker: FakeWorker) -> None:
    network = _CutsTheFirstStream(lambda request: request.url.path.endswith("/events"), b"\n\n")
    async with AsyncClient(url, retries=_QUICK, transport=network) as client:
        job = await client.submit("grad_cam", png(), model="vgg16")
        await worker.work()
        events = [(event.name, event.id) async for event in job.events()]
    assert events == [("status", "1"), ("status", "2"), ("done", "3")]
    assert [request.headers.get("Last-Event-ID") for request in network.streams] == [None, "1"]


@pytest.mark.slow
async def test_cut_results_of_a_batch_go_on_after_the_last_line(url: str, feeder: object, working: FakeWorker) -> None:
    network = _CutsTheFirstStream(lambda request: request.url.path.endswith("/results"), b"\n")
    async with AsyncClient(url, retries=_QUICK, transport=network) as client:
        batch = await client.batch("grad_cam", [png(seed=seed) for seed in range(3)], model="vgg16")
        indices = [item.index async for item in batch.results()]
    assert sorted(indices) == [0, 1, 2]
    assert [request.url.params["cursor"] for request in network.streams] == ["0", "1"]
