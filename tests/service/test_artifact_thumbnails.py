"""Thumbnails of image artifacts: `/v1/jobs/{id}/artifacts/{name}?width=`."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from tests.service.fake_worker import MAP, FakeWorker, array, document, picture, pixels
from tests.service.test_errors import problem_of
from tests.service.test_jobs import submitted

# 55 pixels high and 91 wide: the left 45 columns are of one colour, and the right 46 of another.
HALVES = np.empty((55, 91, 3), np.uint8)
HALVES[:, :45], HALVES[:, 45:] = (210, 40, 30), (20, 60, 190)


@pytest.fixture
async def job(client: httpx.AsyncClient, worker: FakeWorker) -> str:
    job_id = await submitted(client)
    graph = document("graph", "image/svg+xml", "<svg/>")
    await worker.complete(await worker.claim(), [picture("overlay", HALVES, primary=True), array("map", MAP), graph])
    return f"/v1/jobs/{job_id}/artifacts"


@pytest.mark.parametrize(
    ("query", "accept", "media_type"),
    [
        ("", "*/*", "image/webp"),
        ("", "image/png, image/*;q=0.5", "image/png"),
        ("", "image/jpeg", "image/jpeg"),
        ("&format=png", "image/webp", "image/png"),
        ("&format=jpeg", "image/webp", "image/jpeg"),
    ],
)
async def test_the_aspect_is_kept(client: httpx.AsyncClient, job: str, query: str, accept: str, media_type: str) -> None:
    answer = await client.get(f"{job}/overlay?width=30{query}", headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"], answer.headers["vary"]) == (200, media_type, "Accept")
    shown = pixels(answer.content)
    assert shown.shape == (18, 30, 3), "30 · 55 / 91 is 18.1"
    tolerance = 0 if media_type == "image/png" else 6
    assert np.abs(shown[:, :8].astype(int) - (210, 40, 30)).max() <= tolerance
    assert np.abs(shown[:, -8:].astype(int) - (20, 60, 190)).max() <= tolerance
    again = await client.get(f"{job}/overlay?width=30{query}", headers={"Accept": accept, "If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304


async def test_a_picture_is_not_enlarged(client: httpx.AsyncClient, job: str) -> None:
    for width in (91, 92, 2048):
        answer = await client.get(f"{job}/overlay?width={width}&format=png")
        np.testing.assert_array_equal(pixels(answer.content), HALVES)


async def test_no_two_thumbnails_share_an_etag(client: httpx.AsyncClient, job: str) -> None:
    queries = ("", "?format=webp", "?width=30&format=webp", "?width=31&format=webp", "?width=30&format=png", "?width=30&format=jpeg")
    assert len({(await client.get(f"{job}/overlay{query}")).headers["etag"] for query in queries}) == len(queries)


async def test_what_has_no_thumbnail(client: httpx.AsyncClient, job: str) -> None:
    for name in ("map", "graph"):
        problem = problem_of(await client.get(f"{job}/{name}?width=30"), 422, "invalid_parameters")
        assert (problem.pointer, problem.got) == ("/width", "30")
    for width in ("15", "2049", "0", "x"):
        problem_of(await client.get(f"{job}/overlay?width={width}"), 422, "invalid_parameters")
    problem_of(await client.get(f"{job}/overlay?width=30&format=npy"), 406, "not_acceptable")
    problem_of(await client.get(f"{job}/overlay?width=30", headers={"Accept": "application/json"}), 406, "not_acceptable")
