"""The bodies of uploaded models: what is refused before a worker sees it, the quota, and bodies that end too early."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from jobstore.store import JobStore
from service.app import create_app
from service.settings import ServiceSettings
from tests.service.checking_worker import HDF5, KERAS, CheckingWorker, checking, files_in
from tests.service.conftest import client_of
from tests.service.test_errors import problem_of
from tests.service.test_unread_bodies import address_of
from tests.wait import until

LIMITS = {"model_uploads": True, "max_model_file_bytes": 5000, "max_uploaded_models": 2, "max_uploaded_model_bytes": 6000}


@pytest.fixture
def settings(settings: ServiceSettings) -> ServiceSettings:
    settings.models_dir.mkdir()
    return settings.model_copy(update=LIMITS)


@pytest.fixture
async def checker(store: JobStore, settings: ServiceSettings) -> AsyncIterator[CheckingWorker]:
    async with checking(store, settings) as worker:
        yield worker


async def in_chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 999):
        yield content[start : start + 999]


WRONG = [
    (b"", "application/octet-stream", 400, "malformed_body"),
    (b"PK", "application/octet-stream", 415, "unsupported_format"),
    (b"a text that is no model", "application/octet-stream", 415, "unsupported_format"),
    (KERAS, "multipart/form-data; boundary=x", 415, "unsupported_format"),
    (KERAS, "application/json", 415, "unsupported_format"),
    (KERAS.ljust(5001, b"\0"), "application/octet-stream", 413, "body_too_large"),
]


async def test_a_wrong_body_is_refused_and_leaves_nothing(
    client: httpx.AsyncClient, settings: ServiceSettings, checker: CheckingWorker
) -> None:
    for content, media_type, status, code in WRONG:
        for body in (content, in_chunks(content)):  # with its length, and without
            answer = await client.put("/v1/models/flowers", content=body, headers={"Content-Type": media_type})
            problem_of(answer, status, code)
    assert files_in(settings.models_dir) == set()
    assert checker.seen == []


@pytest.mark.slow
async def test_the_largest_file_is_taken_in_every_form_that_clients_send(client: httpx.AsyncClient, checker: CheckingWorker) -> None:
    largest = KERAS.ljust(5000, b"\0")
    for media_type in ("application/octet-stream", "application/zip", "application/x-www-form-urlencoded"):
        answer = await client.put("/v1/models/flowers", content=in_chunks(largest), headers={"Content-Type": media_type})
        assert answer.is_success, answer.text
    assert (await client.put("/v1/models/flowers", content=largest)).is_success
    assert checker.seen == [largest] * 4


async def test_a_wrong_name_is_refused(client: httpx.AsyncClient, settings: ServiceSettings, checker: CheckingWorker) -> None:
    for name in ("Flowers", "-a", "a" * 65, "own.weights", "a%20b"):
        problem_of(await client.put(f"/v1/models/{name}", content=KERAS), 422, "invalid_parameters")
        problem_of(await client.delete(f"/v1/models/{name}"), 404, "unknown_model")
    for name in ("..%2fa", "%2e%2e", "a/b"):
        assert (await client.put(f"/v1/models/{name}", content=KERAS)).status_code in (404, 405, 422)
    assert files_in(settings.models_dir) == set()
    assert checker.seen == []


async def test_the_quota_counts_models_and_bytes_and_a_replaced_file_makes_room(
    client: httpx.AsyncClient, settings: ServiceSettings, checker: CheckingWorker
) -> None:
    assert (await client.put("/v1/models/a", content=KERAS.ljust(3000, b"\0"))).status_code == 201
    for body in (KERAS.ljust(3001, b"\0"), in_chunks(KERAS.ljust(3001, b"\0"))):
        assert "6,000 bytes" in problem_of(await client.put("/v1/models/b", content=body), 409, "model_quota").detail
    assert (await client.put("/v1/models/b", content=KERAS.ljust(3000, b"\0"))).status_code == 201
    assert "at most 2" in problem_of(await client.put("/v1/models/c", content=KERAS), 409, "model_quota").detail
    assert (await client.put("/v1/models/b", content=HDF5)).status_code == 200
    assert files_in(settings.models_dir) == {"uploads/a.keras", "uploads/b.h5"}
    assert (await client.delete("/v1/models/a")).status_code == 204
    assert (await client.put("/v1/models/c", content=KERAS)).status_code == 201


async def test_uploads_at_the_same_time_keep_to_the_quota(
    client: httpx.AsyncClient, settings: ServiceSettings, checker: CheckingWorker
) -> None:
    answers = await asyncio.gather(*(client.put(f"/v1/models/m{number}", content=KERAS) for number in range(6)))
    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [201, 201, 409, 409, 409, 409]
    assert len(files_in(settings.models_dir)) == 2
    same = await asyncio.gather(*(client.put(answers[0].url.path, content=KERAS) for _ in range(2)))
    assert {answer.status_code for answer in same} <= {200, 201, 409}
    assert len(files_in(settings.models_dir)) == 2


@pytest.mark.slow
async def test_a_full_disk_is_told(client: httpx.AsyncClient, settings: ServiceSettings, store: JobStore, checker: CheckingWorker) -> None:
    app = create_app(settings.model_copy(update={"min_free_disk": 2**60}), store)
    async with client_of(app) as cramped:
        problem_of(await cramped.put("/v1/models/flowers", content=KERAS), 503, "storage_full")
    assert files_in(settings.models_dir) == set()


async def test_a_body_that_ends_too_early_leaves_nothing(url: str, settings: ServiceSettings, checker: CheckingWorker) -> None:
    head = f"PUT /v1/models/flowers HTTP/1.1\r\nHost: service\r\nContent-Length: {len(KERAS)}\r\n\r\n".encode()
    for received in (0, 1000, len(KERAS) - 1):
        _, writer = await asyncio.open_connection(*address_of(url))
        writer.write(head + KERAS[:received])
        await until(lambda: any("/.arriving/" in name for name in files_in(settings.models_dir)))
        writer.transport.abort()
        await until(lambda: files_in(settings.models_dir) == set())
    assert checker.seen == []


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a file as the service does that receives a model."""
    with path.open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def test_what_a_killed_service_has_left_is_removed_and_what_another_one_receives_stays(
    app: FastAPI, settings: ServiceSettings
) -> None:
    arrivals = settings.models_dir / "uploads" / ".arriving"
    for name in ("dead", "live"):
        (arrivals / name).mkdir(parents=True)
        (arrivals / name / "part").write_bytes(b"half")
        (arrivals / name / "lock").write_bytes(b"")
    (arrivals / "torn").mkdir()
    with locked(arrivals / "live" / "lock"):
        async with app.router.lifespan_context(app):
            pass
        assert {path.name for path in arrivals.iterdir()} == {"live"}
    async with app.router.lifespan_context(app):
        pass
    assert list(arrivals.iterdir()) == []
