"""`/v1/jobs/{id}/artifacts/{name}`: the same result in every form, and what caches are told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import json

import httpx
import numpy as np
import pytest
from PIL import Image

from jobstore.store import JobStore
from schemas.artifacts import DocumentType
from service.app import create_app
from service.settings import ServiceSettings
from tests.service.conftest import client_of
from tests.service.fake_worker import CAM_ARTIFACTS, MAP, OVERLAY, FakeWorker, animation, array, catalog_of, document, encoded, npy, picture
from tests.service.test_errors import problem_of
from tests.service.test_jobs import submitted


@pytest.fixture
async def job(client: httpx.AsyncClient, worker: FakeWorker) -> str:
    job_id = await submitted(client)
    await worker.work()
    return f"/v1/jobs/{job_id}/artifacts"


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image)


@pytest.mark.parametrize(
    ("accept", "media_type"), [(None, "image/png"), ("*/*", "image/png"), ("image/*", "image/png"), ("image/png", "image/png")]
)
async def test_an_image_as_it_is_stored(client: httpx.AsyncClient, job: str, accept: str | None, media_type: str) -> None:
    answer = await client.get(f"{job}/overlay", headers={"Accept": accept} if accept else {})
    assert answer.headers["content-type"] == media_type
    assert answer.content == encoded(OVERLAY)
    assert answer.headers["etag"] == f'"{hashlib.sha256(answer.content).hexdigest()}"'
    assert answer.headers["cache-control"] == "private, immutable, max-age=86400"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["vary"] == "Accept"
    assert answer.headers["content-disposition"] == 'inline; filename="grad_cam_overlay.png"'


async def test_webp_has_the_same_pixels(client: httpx.AsyncClient, job: str) -> None:
    for answer in (
        await client.get(f"{job}/overlay?format=webp"),
        await client.get(f"{job}/overlay", headers={"Accept": "image/webp, image/png;q=0.5"}),
    ):
        assert answer.headers["content-type"] == "image/webp"
        assert Image.open(io.BytesIO(answer.content)).format == "WEBP"
        np.testing.assert_array_equal(pixels(answer.content), OVERLAY)


async def test_jpeg_is_close(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    y, x = np.mgrid[0:40, 0:61]
    smooth = np.stack([x * 4, y * 6, 255 - x * 4], axis=-1).astype(np.uint8)
    job_id = await submitted(client)
    await worker.complete(await worker.claim(), [picture("overlay", smooth, primary=True)])
    answer = await client.get(f"/v1/jobs/{job_id}/artifacts/overlay", headers={"Accept": "image/jpeg"})
    assert answer.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(answer.content)).format == "JPEG"
    assert np.abs(pixels(answer.content).astype(int) - smooth).max() < 12


async def test_an_array_in_every_form(client: httpx.AsyncClient, job: str) -> None:
    native = await client.get(f"{job}/map")
    assert (native.headers["content-type"], native.content) == ("application/x-npy", npy(MAP))
    archive = np.load(io.BytesIO((await client.get(f"{job}/map?format=npz")).content), allow_pickle=False)
    assert archive.files == ["map"]
    np.testing.assert_array_equal(archive["map"], MAP)
    inline = (await client.get(f"{job}/map", headers={"Accept": "application/json"})).json()
    assert (inline["dtype"], inline["shape"]) == ("float32", [5, 7])
    np.testing.assert_array_equal(np.frombuffer(base64.b64decode(inline["base64"]), "<f4").reshape(5, 7), MAP)


async def test_json_is_little_endian_and_c_ordered(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    values = np.asfortranarray(np.arange(6, dtype=">i4").reshape(2, 3))
    job_id = await submitted(client)
    await worker.complete(await worker.claim(), [*CAM_ARTIFACTS[:2], array("map", values), array("mask", np.array([[True], [False]]))])
    inline = json.loads((await client.get(f"/v1/jobs/{job_id}/artifacts/map?format=json")).content)
    assert inline == {"dtype": "int32", "shape": [2, 3], "base64": base64.b64encode(np.arange(6, dtype="<i4").tobytes()).decode()}
    mask = json.loads((await client.get(f"/v1/jobs/{job_id}/artifacts/mask?format=json")).content)
    assert mask == {"dtype": "bool", "shape": [2, 1], "base64": base64.b64encode(b"\x01\x00").decode()}


async def test_each_form_has_its_own_lasting_etag(client: httpx.AsyncClient, job: str) -> None:
    tags: dict[str, str] = {}
    for name, form in [("overlay", "png"), ("overlay", "webp"), ("overlay", "jpeg"), ("map", "npy"), ("map", "npz"), ("map", "json")]:
        first, second = [await client.get(f"{job}/{name}?format={form}") for _ in range(2)]
        assert first.content == second.content
        assert first.headers["etag"] == second.headers["etag"]
        assert first.headers["etag"].startswith('"')
        tags[f"{name}.{form}"] = first.headers["etag"]
    assert len(set(tags.values())) == len(tags)
    sha256 = hashlib.sha256(npy(MAP)).hexdigest()
    assert tags["map.json"] == f'"{sha256}-json"'


async def test_what_the_caller_has_is_not_sent_again(client: httpx.AsyncClient, job: str) -> None:
    tag = (await client.get(f"{job}/overlay")).headers["etag"]
    for has in (tag, f'"other", W/{tag}', "*"):
        answer = await client.get(f"{job}/overlay", headers={"If-None-Match": has})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert (await client.get(f"{job}/overlay?format=webp", headers={"If-None-Match": tag})).status_code == 200


@pytest.mark.parametrize(
    ("name", "query", "accept", "allowed"),
    [
        ("overlay", "?format=npy", None, "png (image/png)"),
        ("overlay", "?format=bmp", None, "png (image/png)"),
        ("overlay", "", "application/json", "png (image/png)"),
        ("map", "", "image/png", "npy (application/x-npy)"),
        ("map", "", "application/x-npy;q=0", "npy (application/x-npy)"),
    ],
)
async def test_a_form_that_there_is_not(
    client: httpx.AsyncClient, job: str, name: str, query: str, accept: str | None, allowed: str
) -> None:
    answer = await client.get(f"{job}/{name}{query}", headers={"Accept": accept} if accept else {})
    assert (problem_of(answer, 406, "not_acceptable").allowed or "").startswith(allowed)


async def test_an_artifact_that_is_not_there(client: httpx.AsyncClient, job: str) -> None:
    problem = problem_of(await client.get(f"{job}/overlai"), 404, "not_found")
    assert (problem.nearest, problem.allowed) == (("overlay",), "overlay, heatmap, map")
    problem_of(await client.get(f"{job}/../../etc/passwd"), 404, "not_found")
    problem_of(await client.get(f"{job}/..%2f..%2fetc%2fpasswd"), 404, "not_found")


async def test_before_the_end_there_are_none(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = await submitted(client)
    assert "it is queued" in problem_of(await client.get(f"/v1/jobs/{job_id}/artifacts/map"), 404, "not_found").detail


async def test_names_may_hold_dots_and_odd_letters(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = await submitted(client)
    odd = 'grid.base.block5_conv3 é";x'
    await worker.complete(await worker.claim(), [picture(odd, OVERLAY, primary=True)])
    listed = (await client.get(f"/v1/jobs/{job_id}")).json()["artifacts"][0]
    assert listed["name"] == odd
    answer = await client.get(listed["url"])
    assert answer.content == encoded(OVERLAY)
    assert answer.headers["content-disposition"] == 'inline; filename="grad_cam_grid.base.block5_conv3_x.png"'


async def test_an_image_too_wide_for_webp(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = await submitted(client)
    await worker.complete(await worker.claim(), [picture("overlay", np.zeros((1, 16_384, 3), np.uint8), primary=True)])
    url = f"/v1/jobs/{job_id}/artifacts/overlay"
    assert "16383" in problem_of(await client.get(f"{url}?format=webp"), 406, "not_acceptable").detail
    assert (await client.get(f"{url}?format=jpeg")).status_code == 200


async def test_results_that_have_expired(settings: ServiceSettings, worker: FakeWorker) -> None:
    brief = settings.model_copy(update={"result_ttl": 1})
    store = JobStore.connect(settings.redis_url or "", brief)
    brief_worker = FakeWorker(store, catalog_of(settings.models_file, settings.models_dir))
    async with client_of(create_app(brief, store)) as client:
        job_id = await submitted(client)
        await brief_worker.work()
        url = f"/v1/jobs/{job_id}/artifacts/map"
        assert (await client.get(url)).headers["cache-control"] == "private, immutable, max-age=1"
        while (answer := await client.get(url)).status_code == 200:
            await asyncio.sleep(0.05)
        problem_of(answer, 410, "expired")
        job = (await client.get(f"/v1/jobs/{job_id}")).json()
        assert job["state"] == "expired"
        one_line = await client.get(f"/v1/jobs/{job_id}/artifacts/anything")
        problem_of(one_line, 410, "expired")
    await store.close()


SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert("é")</script></svg>'


async def test_an_animation_as_stored_and_as_gif(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    job_id = await submitted(client)
    frames = np.random.default_rng(5).integers(0, 5, (3, 7, 11, 3)).astype(np.uint8) * 60
    stored = animation("forming", frames, (50, 50, 700))
    await worker.complete(await worker.claim(), [stored])
    (listed,) = (await client.get(f"/v1/jobs/{job_id}")).json()["artifacts"]
    assert (listed["kind"], listed["shape"], listed["dtype"], listed["media_type"]) == ("animation", [3, 7, 11, 3], "uint8", None)
    answer = await client.get(listed["url"])
    assert (answer.headers["content-type"], answer.content) == ("image/webp", stored.content)
    assert answer.headers["content-disposition"] == 'inline; filename="grad_cam_forming.webp"'
    for answer in (
        await client.get(f"{listed['url']}?format=gif"),
        await client.get(listed["url"], headers={"Accept": "image/gif, image/png"}),
    ):
        assert answer.headers["content-type"] == "image/gif"
        with Image.open(io.BytesIO(answer.content)) as read:
            assert (read.format, read.n_frames, read.info["loop"]) == ("GIF", 3, 0)
            for number, (expected, milliseconds) in enumerate(zip(frames, (50, 50, 700), strict=True)):
                read.seek(number)
                np.testing.assert_array_equal(np.asarray(read.convert("RGB")), expected)
                assert read.info["duration"] == milliseconds
    problem = problem_of(await client.get(f"{listed['url']}?format=png"), 406, "not_acceptable")
    assert (problem.allowed, problem.got) == ("webp (image/webp), gif (image/gif)", "png")


@pytest.mark.parametrize(
    ("name", "form", "media_type", "text"),
    [
        ("drawing", "svg", "image/svg+xml", SVG),
        ("source", "dot", "text/vnd.graphviz", "digraph { a -> b }"),
        ("graph", "json", "application/json", '{"nodes": []}'),
    ],
)
async def test_a_document_is_what_it_is(
    client: httpx.AsyncClient, worker: FakeWorker, name: str, form: str, media_type: DocumentType, text: str
) -> None:
    job_id = await submitted(client)
    await worker.complete(await worker.claim(), [document(name, media_type, text)])
    (listed,) = (await client.get(f"/v1/jobs/{job_id}")).json()["artifacts"]
    assert (listed["kind"], listed["media_type"], listed["shape"], listed["dtype"]) == ("document", media_type, [], "text")
    for answer in (
        await client.get(listed["url"]),
        await client.get(listed["url"], headers={"Accept": media_type}),
        await client.get(f"{listed['url']}?format={form}"),
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"].split(";")[0] == media_type
        assert answer.content.decode() == text
        assert answer.headers["etag"] == f'"{listed["sha256"]}"'
        assert answer.headers["x-content-type-options"] == "nosniff"
        # Whatever a document holds, a browser that shows it runs nothing and loads nothing.
        assert answer.headers["content-security-policy"] == "default-src 'none'; style-src 'unsafe-inline'; sandbox"
        assert answer.headers["content-disposition"] == f'inline; filename="grad_cam_{name}.{form}"'
    problem = problem_of(await client.get(f"{listed['url']}?format=png"), 406, "not_acceptable")
    assert (problem.allowed, problem.detail[:27]) == (f"{form} ({media_type})", "This artifact is a document")
    problem_of(await client.get(listed["url"], headers={"Accept": "image/png, application/x-npz"}), 406, "not_acceptable")


async def test_a_picture_has_the_policy_of_every_answer(client: httpx.AsyncClient, job: str) -> None:
    policy = (await client.get(f"{job}/overlay")).headers["content-security-policy"]
    assert policy == "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
