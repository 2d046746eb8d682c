"""A run goes on where only a photo has failed, and stops where every photo would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

from convscope import RetryPolicy
from convscope.cli import running
from convscope.cli.manifest import Manifest
from convscope.cli.photos import find_photos
from convscope.cli.planning import RunItem, RunRequest
from convscope.cli.progress import RunProgress
from convscope.cli.recording import RunRecorder, RunStopped
from convscope.cli.running import run_in_batches, run_singly
from convscope.cli.save_choice import SaveChoice
from convscope.cli.submitting import Answer, PreparedCall, RunClient
from tests.client_python.cli.conftest import rows
from tests.service.fake_worker import CAM_FACTS, FakeWorker, png
from tests.wait import until

pytestmark = pytest.mark.slow
_REQUEST = RunRequest("grad_cam", "vgg16", {})
Runner = Callable[..., Any]


@pytest.fixture
def items(tmp_path: Path) -> list[RunItem]:
    """Return five photos, of which the last is the largest."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(5):
        (folder / f"{number}.png").write_bytes(png(width=40 if number == 4 else 9, seed=number))
    return [RunItem(str(photo.path), photo.place) for photo in find_photos([str(folder)], str, tmp_path)]


@pytest.fixture
def recorder(tmp_path: Path, items: list[RunItem]) -> Iterator[RunRecorder]:
    out = tmp_path / "out"
    out.mkdir()
    manifest = Manifest(out)
    yield RunRecorder(out, manifest, _REQUEST, SaveChoice.read("png,npy"), RunProgress(len(items), Console(quiet=True)))
    manifest.close()


def states(tmp_path: Path) -> dict[str, str]:
    return {place: row["state"] for place, row in rows(tmp_path / "out" / "manifest.jsonl").items()}


async def test_several_batches_bring_each_photo_once(
    url: str,
    feeder: object,
    working: FakeWorker,
    items: list[RunItem],
    recorder: RunRecorder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(running, "_BATCH_ITEMS", 2)
    monkeypatch.setattr(running, "_LARGEST_IN_BATCH", 500)  # bytes
    async with RunClient(url) as client:
        await run_in_batches(client, _REQUEST, items, 3, recorder)
        batches = (await client._connection.request("GET", "/v1/batches")).json()["items"]
    assert [batch["counts"]["total"] for batch in batches] == [2, 2]
    assert states(tmp_path) == {f"{number}.png": "succeeded" for number in range(5)}


async def test_a_job_that_fails_stops_no_other_even_if_it_is_retryable(
    url: str, worker: FakeWorker, items: list[RunItem], recorder: RunRecorder, tmp_path: Path
) -> None:
    async with RunClient(url) as client:
        run = asyncio.ensure_future(run_singly(client, _REQUEST, items, 1, recorder))
        await worker.fail(await worker.claim(), "out_of_memory", "The device is full.", retryable=True)
        for _ in range(4):
            await worker.work()
        await run
    assert states(tmp_path) == {"0.png": "failed"} | {f"{number}.png": "succeeded" for number in range(1, 5)}
    error = rows(tmp_path / "out" / "manifest.jsonl")["0.png"]["error"]
    assert error == {"code": "out_of_memory", "detail": "The device is full."}


class _Gone(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")


class _Refuses(httpx.AsyncBaseTransport):
    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        self._status, self._problem = status, problem

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(self._status, content=json.dumps({"status": self._status, **self._problem}))


@pytest.mark.parametrize("run", [run_singly, run_in_batches])
@pytest.mark.parametrize(
    ("network", "why"),
    [
        (_Gone(), r"does not answer POST .*: refused"),
        (_Refuses(401, {"code": "unauthenticated", "detail": "The key is wrong."}), "unauthenticated: The key is wrong"),
        (_Refuses(503, {"code": "queue_full", "detail": "The queue is full.", "retryable": True}), "queue_full: The queue is full"),
        (_Refuses(422, {"code": "invalid_parameters", "detail": "There is no field 'x'."}), "invalid_parameters: There is no field"),
    ],
)
async def test_the_run_stops_where_every_photo_would_fail(
    run: Runner, network: httpx.AsyncBaseTransport, why: str, items: list[RunItem], recorder: RunRecorder, tmp_path: Path
) -> None:
    policy = RetryPolicy(attempts=2, backoff=0.001)
    async with RunClient("http://service", retries=policy, transport=network) as client:
        with pytest.raises(RunStopped, match=why):
            await run(client, _REQUEST, items, 2, recorder)
    assert not (tmp_path / "out" / "manifest.jsonl").exists()


async def test_a_folder_that_cannot_be_written_stops_the_run(
    url: str, working: FakeWorker, items: list[RunItem], recorder: RunRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("convscope.cli.recording.write_files", full)
    async with RunClient(url) as client:
        with pytest.raises(RunStopped, match=r"The results cannot be written: .*No space left"):
            await run_singly(client, _REQUEST, items, 2, recorder)


class _Notes(httpx.AsyncHTTPTransport):
    """The network, which notes each request."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(f"{request.method} {request.url.raw_path.decode()}")
        return await super().handle_async_request(request)


@pytest.mark.parametrize(
    ("save", "path", "files"),
    [
        ("png", "/v1/jobs.zip?names=primary", {"overlay.png"}),
        ("png,npy,json", "/v1/jobs.zip?names=arrays%2Cprimary", {"overlay.png", "map.npy", "job.json"}),
        ("heatmap", "/v1/jobs.zip?names=heatmap", {"heatmap.png"}),
        ("all", "/v1/jobs.zip", {"overlay.png", "heatmap.png", "map.npy", "job.json"}),
        ("json", "/v1/jobs", {"job.json"}),
    ],
)
async def test_each_photo_takes_one_request(
    url: str, working: FakeWorker, items: list[RunItem], tmp_path: Path, save: str, path: str, files: set[str]
) -> None:
    out, network = tmp_path / "out", _Notes()
    out.mkdir()
    manifest = Manifest(out)
    recorder = RunRecorder(out, manifest, _REQUEST, SaveChoice.read(save), RunProgress(len(items), Console(quiet=True)))
    async with RunClient(url, transport=network) as client:
        await run_singly(client, _REQUEST, items, 2, recorder)
    manifest.close()
    assert network.asked == [f"POST {path}"] * len(items)
    for place, row in rows(out / "manifest.jsonl").items():
        assert row["facts"] == CAM_FACTS
        assert {name.removeprefix(f"{place}.") for name in row["files"]} == files
        assert all((out / name).stat().st_size for name in row["files"])


async def test_a_job_that_takes_longer_is_waited_for(
    url: str, worker: FakeWorker, items: list[RunItem], recorder: RunRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convscope.cli.submitting._WAIT_SECONDS", 0)
    network = _Notes()
    async with RunClient(url, transport=network) as client:
        running_one = asyncio.create_task(run_singly(client, _REQUEST, items[:1], 1, recorder))
        execution = await worker.claim()
        await until(lambda: len(network.asked) == 2)
        await worker.complete(execution)
        await running_one
    assert states(tmp_path) == {"0.png": "succeeded"}
    assert [request.split("/v1/")[0] for request in network.asked] == ["POST ", "GET ", "GET ", "GET "], "the job, and two artifacts"


async def test_an_answer_that_is_no_archive_stops_the_run(items: list[RunItem], recorder: RunRecorder) -> None:
    network = httpx.MockTransport(lambda _: httpx.Response(200, headers={"Content-Type": "application/zip"}, content=b"PK half of it"))
    async with RunClient("http://service", transport=network) as client:
        with pytest.raises(RunStopped, match=r"cannot be read as a zip file of a job: File is not a zip file"):
            await run_singly(client, _REQUEST, items, 2, recorder)


class _Stuck(RunClient):
    """A client whose calls never end. It counts the photos that were read and those that were sent."""

    read = sent = 0

    async def prepared(self, request: RunRequest, item: RunItem) -> PreparedCall:
        self.read += 1
        return await super().prepared(request, item)

    async def call(self, *_: object) -> Answer:
        self.sent += 1
        await asyncio.Event().wait()
        raise AssertionError("the event is never set")


async def test_photos_are_read_ahead_but_not_all_of_them(items: list[RunItem], recorder: RunRecorder) -> None:
    callers, many = 2, items * 20
    async with _Stuck("http://service") as client:
        run = asyncio.create_task(run_singly(client, _REQUEST, many, callers, recorder))
        await until(lambda: client.read == 2 * callers + 1)  # two are sent, two are ready, and one waits for a place
        await asyncio.sleep(0.1)
        assert (client.read, client.sent) == (2 * callers + 1, callers)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
