"""Pictures that the service draws when they are first fetched."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import threading
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from jobstore.records import Execution
from rendering import encode, scaling
from rendering.drawings.maps_on_photo import MapsOnPhoto
from rendering.overlays.blend import blend
from rendering.photo import Photo, Placement
from schemas.artifacts import DeferredPicture, EncodedArtifact
from schemas.errors import StorageFull
from service import artifact_contents
from service.dependencies import services_of
from service.settings import ServiceSettings
from tests.service.fake_worker import MAP, OVERLAY, FakeWorker, array, encoded, npy, picture
from tests.service.test_jobs import submitted

PHOTO = np.random.default_rng(5).integers(0, 256, (8, 14, 3), dtype=np.uint8)
PLACEMENT = Placement((5, 7), (0.0, 0.0, 5.0, 7.0), (0.0, 0.0, 8.0, 14.0))
ON_PHOTO = MapsOnPhoto(photo_size=(8, 14), placement=PLACEMENT, colormap="viridis", alpha=0.3)
EXPECTED = dict(zip(("shown", "heatmap"), blend(scaling.heat(MAP), Photo(PHOTO, PLACEMENT), "viridis", 0.3), strict=True))


def deferred(name: str, drawing: str | None = None) -> DeferredPicture:
    described = ON_PHOTO if name == "shown" else ON_PHOTO.alone
    return DeferredPicture.of(drawing or described.model_dump_json(), name=name, shape=(8, 14, 3), needs_photo=described.needs_photo)


def artifacts(*more: DeferredPicture) -> list[EncodedArtifact]:
    every = (picture("overlay", OVERLAY, primary=True), array("map", MAP), *(more or (deferred("heatmap"), deferred("shown"))))
    return list(every)  # type: ignore[arg-type]


async def ended(client: httpx.AsyncClient, worker: FakeWorker, *more: DeferredPicture) -> str:
    """Submit a job on `PHOTO`, end it with pictures that are not drawn yet, and return its address."""
    form = {"request": json.dumps({"method": "grad_cam", "model": "vgg16"})}
    answer = await client.post("/v1/jobs", data=form, files={"image": ("photo.png", encoded(PHOTO))}, headers={"Cache-Control": "no-cache"})
    assert answer.status_code == 202, answer.text
    execution: Execution = await worker.claim()
    await worker.complete(execution, artifacts(*more))
    return f"/v1/jobs/{answer.json()['id']}"


@pytest.fixture
async def live(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        yield client


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


async def drawings(client: httpx.AsyncClient) -> float:
    lines = (await client.get("/metrics")).text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("convscope_drawing_seconds_count"))


@pytest.mark.parametrize("name", ["heatmap", "shown"])
async def test_it_is_drawn_when_it_is_fetched_and_then_kept(live: httpx.AsyncClient, worker: FakeWorker, name: str) -> None:
    job = await ended(live, worker)
    before = {each["name"]: each for each in (await live.get(job)).json()["artifacts"]}[name]
    assert (before["sha256"], before["size"], before["shape"]) == (None, None, [8, 14, 3])
    assert "drawing" not in (await live.get(job)).text
    first = await live.get(f"{job}/artifacts/{name}")
    assert (first.status_code, first.headers["content-type"]) == (200, "image/png")
    assert first.content == encode.png(EXPECTED[name])
    second = await live.get(f"{job}/artifacts/{name}")
    assert (second.content, second.headers["etag"]) == (first.content, first.headers["etag"])
    assert await drawings(live) == 1
    after = {each["name"]: each for each in (await live.get(job)).json()["artifacts"]}[name]
    assert after["size"] == len(first.content)
    assert after["sha256"]


async def test_many_who_ask_at_once_share_one_drawing(live: httpx.AsyncClient, worker: FakeWorker) -> None:
    job = await ended(live, worker)
    answers = await asyncio.gather(*(live.get(f"{job}/artifacts/shown") for _ in range(20)))
    assert {answer.content for answer in answers} == {encode.png(EXPECTED["shown"])}
    assert await drawings(live) == 1


async def test_a_caller_who_has_it_gets_no_new_drawing(live: httpx.AsyncClient, worker: FakeWorker) -> None:
    other = ON_PHOTO.alone.model_copy(update={"colormap": "jet"}).model_dump_json()
    first, second = await ended(live, worker), await ended(live, worker, deferred("heatmap", other))
    tags = [(await live.get(f"{job}/artifacts/heatmap")).headers["etag"] for job in (first, second)]
    webp = (await live.get(f"{first}/artifacts/heatmap?format=webp")).headers["etag"]
    assert len({*tags, webp}) == 3
    third = await ended(live, worker)
    answer = await live.get(f"{third}/artifacts/heatmap", headers={"If-None-Match": tags[0]})
    assert answer.status_code == 304
    assert await drawings(live) == 2


async def test_other_formats_and_the_zip_have_it_too(live: httpx.AsyncClient, worker: FakeWorker) -> None:
    job = await ended(live, worker)
    webp = await live.get(f"{job}/artifacts/heatmap", headers={"Accept": "image/webp"})
    np.testing.assert_array_equal(pixels(webp.content), EXPECTED["heatmap"])
    asked = live.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": encoded(PHOTO)}, headers={"Accept": "application/zip"})
    whole = await asked  # an identical job: its result is there
    with zipfile.ZipFile(io.BytesIO(whole.content)) as archive:
        assert archive.namelist() == ["overlay.png", "map.npy", "heatmap.png", "shown.png", "job.json"]
        np.testing.assert_array_equal(pixels(archive.read("shown.png")), EXPECTED["shown"])


async def test_a_zip_draws_its_pictures_side_by_side(
    live: httpx.AsyncClient, worker: FakeWorker, settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of two drawings waits until the other has begun."""
    assert settings.drawing_threads == 2
    await ended(live, worker)
    both, drawn = threading.Barrier(2, timeout=10), artifact_contents._png

    def draw_when_both_have_begun(*arguments: Any) -> bytes:
        both.wait()
        return drawn(*arguments)

    monkeypatch.setattr(artifact_contents, "_png", draw_when_both_have_begun)
    accept = {"Accept": "application/zip"}
    whole = await live.post("/v1/grad_cam", data={"model": "vgg16"}, files={"image": encoded(PHOTO)}, headers=accept)
    with zipfile.ZipFile(io.BytesIO(whole.content)) as archive:
        for name, image in EXPECTED.items():
            np.testing.assert_array_equal(pixels(archive.read(f"{name}.png")), image)


@pytest.mark.parametrize("names", ["", "map,heatmap"])
async def test_a_zip_is_the_same_before_and_after_its_pictures_are_kept(live: httpx.AsyncClient, worker: FakeWorker, names: str) -> None:
    """The digests in `job.json` are those of the files beside it. A picture that is not in the file has none, also when it was fetched."""
    job = await ended(live, worker)
    first = (await live.get(f"{job}/artifacts.zip", params={"names": names})).content
    for name in EXPECTED:
        assert (await live.get(f"{job}/artifacts/{name}")).status_code == 200
    assert all(each["sha256"] for each in (await live.get(job)).json()["artifacts"])
    assert (await live.get(f"{job}/artifacts.zip", params={"names": names})).content == first
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        described = {each["name"]: each for each in json.loads(archive.read("job.json"))["artifacts"]}
        heatmap = archive.read("heatmap.png")
    assert (described["heatmap"]["sha256"], described["heatmap"]["size"]) == (hashlib.sha256(heatmap).hexdigest(), len(heatmap))
    assert (described["shown"]["sha256"] is None) == bool(names)
    assert described["overlay"]["sha256"] == hashlib.sha256(encoded(OVERLAY)).hexdigest()


async def test_without_its_array_it_is_gone(live: httpx.AsyncClient, worker: FakeWorker, settings: ServiceSettings) -> None:
    job = await ended(live, worker)
    (file,) = (path for path in settings.data_dir.rglob("*") if path.is_file() and path.read_bytes() == npy(MAP))
    file.unlink()
    answer = await live.get(f"{job}/artifacts/heatmap")
    assert (answer.status_code, answer.json()["code"]) == (410, "expired")


async def test_a_drawing_of_another_version_is_an_error_that_says_so(live: httpx.AsyncClient, worker: FakeWorker) -> None:
    job = await ended(live, worker, deferred("heatmap", '{"kind":"hologram"}'))
    answer = await live.get(f"{job}/artifacts/heatmap")
    assert answer.status_code == 500
    assert "another version" in answer.json()["detail"]


async def test_a_picture_that_cannot_be_kept_is_sent_all_the_same(
    live: httpx.AsyncClient, worker: FakeWorker, app: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await ended(live, worker)

    async def full(*_: object) -> None:
        raise StorageFull("There is no room.")

    monkeypatch.setattr(services_of(app).store.artifacts, "keep", full)  # type: ignore[arg-type]
    for count in (1, 2):
        assert (await live.get(f"{job}/artifacts/heatmap")).content == encode.png(EXPECTED["heatmap"])
        assert await drawings(live) == count


async def test_jobs_without_drawings_are_read_as_before(live: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = await submitted(live)
    await worker.work()
    assert (await live.get(f"/v1/jobs/{job_id}/artifacts/heatmap")).status_code == 200
    assert await drawings(live) == 0
