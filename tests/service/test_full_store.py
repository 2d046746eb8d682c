"""A full disk and a full Redis: new work is refused with 503 before it is accepted, and reading goes on."""

from __future__ import annotations

import ctypes
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from redis import Redis

from jobstore.settings import StoreSettings
from jobstore.store import JobStore
from processes.embedded_redis import EmbeddedRedis
from schemas import errors
from schemas.errors import VisualizationError
from service.app import create_app
from service.problems import STATUS, status_of
from service.settings import ServiceSettings
from tests.schemas.tiny import description
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker, catalog_of, png
from tests.service.test_errors import problem_of
from tests.service.test_submit import PHOTO, cam

MIB = 2**20


def _subclasses(kind: type[VisualizationError]) -> Iterator[type[VisualizationError]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)


def test_an_error_of_another_room_has_the_status_of_its_base_class() -> None:
    of_other_rooms = [kind for kind in _subclasses(VisualizationError) if kind not in STATUS and kind.__module__.startswith("jobstore")]
    assert len(of_other_rooms) >= 2
    for kind in of_other_rooms:
        error = kind.__new__(kind)
        error.pointer = None
        assert status_of(error) == 503
    assert status_of(errors.InternalError("")) == 500


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 1 MiB in memory, if this is allowed here."""
    folder = tmp_path / "small"
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", bytes(folder), b"tmpfs", 0, b"size=1m") != 0:
        pytest.skip(f"A disk cannot be mounted here: {os.strerror(ctypes.get_errno())}.")
    yield folder
    assert libc.umount2(bytes(folder), 0) == 0


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "files").rglob("*") if path.is_file())


async def results_of(client: httpx.AsyncClient, job_id: str) -> int:
    return (await client.get(f"/v1/jobs/{job_id}/artifacts/overlay")).status_code


async def test_a_full_disk_refuses_new_work_and_answers_what_is_stored(settings: ServiceSettings, redis_url: str, small_disk: Path) -> None:
    full = settings.model_copy(update={"data_dir": small_disk, "min_free_disk": MIB // 4})
    store = JobStore.connect(redis_url, full)
    worker = FakeWorker(store, catalog_of(full.models_file, full.models_dir))
    await worker.publish(description())
    async with client_of(create_app(full, store)) as client:
        done = (await client.post("/v1/jobs", json=cam())).json()["id"]
        await worker.work()
        running = (await client.post("/v1/jobs", json=cam(params={"alpha": 0.1}))).json()["id"]
        execution = await worker.claim()
        kept_by_others = small_disk / "others"
        free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
        kept_by_others.write_bytes(bytes(free - MIB // 4 + 2**16))  # more than what may give way

        filters = {"method": "filters", "model": "vgg16", "params": {"channels": [1]}}
        cached = await client.post("/v1/jobs", json=cam())
        assert (cached.status_code, cached.json()["cached"]) == (200, True), "a result that is there needs no room"
        joined = await client.post("/v1/jobs", json=cam(params={"alpha": 0.1}))
        assert joined.status_code == 202, "a job that joins another one needs no room"

        refusals = [
            await client.post("/v1/jobs", json=filters),
            await client.post("/v1/jobs", json=cam(params={"alpha": 0.2})),
            await client.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": png(40, 30)}),
            await client.post("/v1/images", files={"image": png(40, 30)}),
        ]
        for answer in refusals:
            assert problem_of(answer, 503, "storage_full").retryable
            assert int(answer.headers["retry-after"]) > 0
        assert await worker.nothing_queued("slow")
        assert await worker.nothing_queued("fast")

        await worker.complete(execution)
        assert await results_of(client, running) == 200, "the results of accepted work may use what is kept free"
        kept_by_others.unlink()
        again = await client.post("/v1/jobs", json=filters)
        assert again.status_code == 202
        assert (await client.get(f"/v1/jobs/{done}")).status_code == 200
    await store.close()


async def test_a_result_that_does_not_fit_on_the_disk_leaves_no_part_of_a_file(
    settings: ServiceSettings, redis_url: str, small_disk: Path
) -> None:
    full = settings.model_copy(update={"data_dir": small_disk, "min_free_disk": 0})
    store = JobStore.connect(redis_url, full)
    worker = FakeWorker(store, catalog_of(full.models_file, full.models_dir))
    await worker.publish(description())
    async with client_of(create_app(full, store)) as client:
        done = (await client.post("/v1/jobs", json=cam())).json()["id"]
        kept = await worker.claim()
        await client.post("/v1/jobs", json=cam(params={"alpha": 0.1}))
        execution = await worker.claim()
        before = files_in(small_disk)
        with suppress(OSError), (small_disk / "others").open("wb", buffering=0) as others:
            while True:
                others.write(bytes(4096))
        with pytest.raises(errors.StorageFull):
            await worker.complete(execution)
        assert files_in(small_disk) == before
        assert problem_of(await client.post("/v1/jobs", json=cam(image={"base64": _other_photo()})), 503, "storage_full")
        (small_disk / "others").unlink()
        await worker.complete(execution)
        await worker.complete(kept)
        assert await results_of(client, done) == 200
    await store.close()


def _other_photo() -> str:
    import base64

    return base64.b64encode(png(60, 40, seed=5)).decode()


@pytest.fixture
async def full_redis(store_settings: StoreSettings, tmp_path: Path) -> AsyncIterator[tuple[ServiceSettings, JobStore, EmbeddedRedis]]:
    """Yield a service's store on a Redis of its own, whose memory a test can fill."""
    with EmbeddedRedis.start(tmp_path / "own") as server:
        shared = store_settings.model_dump(exclude={"models_file", "redis_url"})
        settings = ServiceSettings(**shared, redis_url=server.url, models_file=tmp_path / "models.toml")
        store = JobStore.connect(server.url, settings)
        yield settings, store, server
        await store.close()


async def test_a_service_with_a_full_redis_is_ready_and_answers_no_500(
    full_redis: tuple[ServiceSettings, JobStore, EmbeddedRedis],
) -> None:
    settings, store, server = full_redis
    worker = FakeWorker(store, catalog_of(settings.models_file, settings.models_dir))
    await worker.publish(description())
    await worker.live("vgg16")
    async with client_of(create_app(settings, store)) as client:
        job_id = (await client.post("/v1/jobs", json=cam())).json()["id"]
        execution = await worker.claim()
        with Redis.from_url(server.url) as redis:
            redis.config_set("maxmemory", 1)
            for answer in (
                await client.post("/v1/jobs", json=cam(params={"alpha": 0.1})),
                await client.post("/v1/jobs", json=cam(params={"alpha": 0.1}), headers={"Idempotency-Key": "a"}),
                await client.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": PHOTO}),
                await client.post("/v1/images", files={"image": png(7, 5)}),
            ):
                assert problem_of(answer, 503, "storage_full").retryable
                assert int(answer.headers["retry-after"]) > 0
            ready = await client.get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (200, "ready")
            await worker.live("vgg16")
            for path in ("/livez", "/metrics", "/v1/models", "/v1/jobs", f"/v1/jobs/{job_id}"):
                assert (await client.get(path)).status_code == 200, path
            redis.config_set("maxmemory", 0)
        await worker.complete(execution)
        assert await results_of(client, job_id) == 200
