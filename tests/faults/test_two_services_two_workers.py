"""Two services and two workers on one Redis: each service serves what the other accepted, and losing one of each loses nothing."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from httpx_sse import aconnect_sse

from tests.faults.stack import ROOT, WorkerStack
from tests.wait import until
from tests.workers.tiny import photo

pytestmark = [pytest.mark.faults, pytest.mark.slow, pytest.mark.timeout(400)]

SYNTHESIS = {"method": "filters", "model": "tiny", "params": {"layer": "relu", "channels": [0, 3], "size": 32, "steps": 300}}


class _Services:
    """Two `convscope api` processes and two supervisors with a worker each."""

    def __init__(self, make_stack: Callable[..., WorkerStack]) -> None:
        self.stack = make_stack(fast_in_flight=4)
        assert self.stack.supervisor is not None
        self.supervisors = [self.stack.supervisor]
        self.stack.start_workers()
        self.supervisors.append(self.stack.supervisor)
        started = [self._start_service(name) for name in ("first", "second")]
        self.processes = [process for process, _ in started]
        self.clients = [httpx.AsyncClient(base_url=url, timeout=90, trust_env=False) for _, url in started]

    def _start_service(self, name: str) -> tuple[subprocess.Popen[bytes], str]:
        with socket.create_server(("127.0.0.1", 0)) as listener, (self.stack.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "cli.main", "api", "--fd", str(listener.fileno())],
                pass_fds=[listener.fileno()],
                cwd=ROOT,
                env={**os.environ, **self.stack.variables()},
                stdout=log,
                stderr=log,
            )
            return process, f"http://127.0.0.1:{listener.getsockname()[1]}"

    async def two_workers_are_ready(self) -> bool:
        ready = [(await client.get("/readyz")).json() for client in self.clients]
        return all(len(each["workers"]) == 2 and each["status"] == "ready" for each in ready)

    def workers_of(self, method: str) -> list[str]:
        """Return the worker of each execution of `method` that has ended, in order."""
        return [entry["worker"] for entry in self.stack.said("execution ended") if entry["method"] == method]

    async def close(self) -> None:
        for client in self.clients:
            await client.aclose()
        for process in (*self.processes, *self.supervisors):
            if process.poll() is None:
                process.terminate()
        for process in (*self.processes, *self.supervisors):
            process.wait(30)


@pytest.fixture
async def services(make_stack: Callable[..., WorkerStack]) -> AsyncIterator[_Services]:
    services = _Services(make_stack)
    yield services
    await services.close()


async def _submitted(clients: list[httpx.AsyncClient], number: int) -> dict[str, Any]:
    """Submit the job `number`. If a service is gone, submit it through the other one, with the same idempotency key."""
    for client in (clients[number % 2], clients[1 - number % 2]):
        try:
            answer = await client.post(
                "/v1/predict",
                data={"model": "tiny", "top": str(number % 5 + 1)},
                files={"image": photo(number)},
                headers={"Prefer": "respond-async", "Idempotency-Key": f"job-{number}"},
            )
        except httpx.TransportError:
            continue
        assert answer.status_code == 202, answer.text
        return dict(answer.json())
    raise AssertionError("neither service answers")


async def test_services_share_their_jobs_and_losing_one_of_each_loses_nothing(services: _Services) -> None:
    first, second = services.clients
    await until(services.two_workers_are_ready, 120)

    # An upload through one service is used through the other.
    image = (await first.post("/v1/images", files={"image": photo(1000)})).json()["id"]
    job = {"method": "grad_cam", "model": "tiny", "image": {"id": image}, "params": {"layer": "relu"}}
    answer = await second.post("/v1/jobs", json=job, headers={"Prefer": "wait=60"})
    assert (answer.status_code, answer.json()["state"]) == (200, "succeeded"), answer.text
    overlay = await first.get(answer.json()["artifacts"][0]["url"], headers={"Accept": "*/*"})
    assert overlay.content.startswith(b"\x89PNG")

    # The same submission through both services joins one execution; each service follows the job of the other.
    one, other = [(await client.post("/v1/jobs", json=SYNTHESIS)).json() for client in (first, second)]
    assert one["id"] != other["id"]
    polling = asyncio.create_task(second.get(f"/v1/jobs/{one['id']}", params={"wait": 60}))
    async with aconnect_sse(first, "GET", f"/v1/jobs/{other['id']}/events") as source:
        events = [event.event async for event in source.aiter_sse()]
    assert (events[0], events[-1]) == ("status", "done")
    assert "progress" in events
    assert (await polling).json()["state"] == "succeeded"
    await until(lambda: services.workers_of("filters"))
    assert len(services.workers_of("filters")) == 1

    # One service and one worker are killed in the middle of a load.
    jobs: list[dict[str, Any]] = []
    for number in range(60):
        if number == 30:
            await until(lambda: len(set(services.workers_of("predict"))) == 2)
            services.processes[0].kill()
            services.supervisors[0].kill()  # its worker ends with it
        jobs.append(await _submitted(services.clients, number))
    assert len({each["id"] for each in jobs}) == 60
    ended = [(await second.get(f"/v1/jobs/{each['id']}", params={"wait": 60})).json() for each in jobs]
    assert [each["state"] for each in ended] == ["succeeded"] * 60
