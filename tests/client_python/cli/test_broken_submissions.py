"""A photo's submission that breaks after the service has accepted it is sent again, and nothing is computed twice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from rich.console import Console

from convscope import RetryPolicy
from convscope.cli.manifest import Manifest
from convscope.cli.plain_transport import PlainTransport
from convscope.cli.planning import RunItem, RunRequest
from convscope.cli.progress import RunProgress
from convscope.cli.recording import RunRecorder
from convscope.cli.running import run_singly
from convscope.cli.save_choice import SaveChoice
from convscope.cli.submitting import RunClient
from tests.client_python.cli.conftest import rows
from tests.service.fake_worker import FakeWorker, png

_REQUEST = RunRequest("grad_cam", "vgg16", {})


class _BreaksOnce(PlainTransport):
    """Leaves the first answer unread: it closes the connection as soon as `accepted` is set."""

    def __init__(self, accepted: asyncio.Event) -> None:
        super().__init__()
        self._accepted = accepted
        self.requests = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests += 1
        if self.requests > 1:
            return await super().handle_async_request(request)
        asking = asyncio.ensure_future(super().handle_async_request(request))
        await self._accepted.wait()
        asking.cancel()
        raise httpx.ReadError("The network is away.")


async def test_a_submission_that_is_sent_again_joins_the_first_one(url: str, worker: FakeWorker, tmp_path: Path) -> None:
    photo, out = tmp_path / "1.png", tmp_path / "out"
    photo.write_bytes(png())
    out.mkdir()
    manifest, accepted = Manifest(out), asyncio.Event()
    recorder = RunRecorder(out, manifest, _REQUEST, SaveChoice.read("png"), RunProgress(1, Console(quiet=True)))
    network = _BreaksOnce(accepted)
    async with RunClient(url, retries=RetryPolicy(backoff=0.01), transport=network) as client:
        running = asyncio.create_task(run_singly(client, _REQUEST, [RunItem(str(photo), "1.png")], 1, recorder))
        execution = await worker.claim()
        accepted.set()
        while len((await client._connection.request("GET", "/v1/jobs")).json()["items"]) < 2:
            await asyncio.sleep(0.01)
        assert await worker.nothing_queued(), "the second job waits for the execution of the first"
        await worker.complete(execution)
        await running
        jobs = (await client._connection.request("GET", "/v1/jobs")).json()["items"]
    manifest.close()
    assert [job["state"] for job in jobs] == ["succeeded", "succeeded"]
    assert {place: row["state"] for place, row in rows(out / "manifest.jsonl").items()} == {"1.png": "succeeded"}
