"""Maps that are drawn when they are asked for: `/v1/jobs/{id}/artifacts/map?format=png&colormap=`."""

from __future__ import annotations

import httpx
import numpy as np
import pytest

from rendering.charts.map_with_scale import map_with_scale
from tests.service.fake_worker import MAP, OVERLAY, FakeWorker, array, npy, picture, pixels
from tests.service.test_errors import problem_of
from tests.service.test_jobs import submitted

MAPS = np.random.default_rng(8).normal(size=(3, 5, 7)).astype(np.float32)
ARRAYS = [
    array("map", MAP),
    array("map.block5", MAPS),
    array("mapping", MAP),
    array("logits", MAP[0]),
    array("map.one", MAP[0]),
]


@pytest.fixture
async def job(client: httpx.AsyncClient, worker: FakeWorker) -> str:
    job_id = await submitted(client)
    await worker.complete(await worker.claim(), [picture("overlay", OVERLAY, primary=True), *ARRAYS])
    return f"/v1/jobs/{job_id}/artifacts"


async def test_a_map_is_drawn_in_the_colormap_that_is_asked_for(client: httpx.AsyncClient, job: str) -> None:
    tags = set[str]()
    for name, values in {"map": MAP, "map.block5": MAPS}.items():
        for query, colormap in (("", "viridis"), ("&colormap=viridis", "viridis"), ("&colormap=jet", "jet")):
            address = f"{job}/{name}?format=png{query}"
            answer = await client.get(address)
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
            assert answer.headers["content-disposition"] == f'inline; filename="grad_cam_{name}.png"'
            np.testing.assert_array_equal(pixels(answer.content), map_with_scale(values, colormap))  # type: ignore[arg-type]
            tags.add(answer.headers["etag"])
            assert (await client.get(address, headers={"If-None-Match": answer.headers["etag"]})).status_code == 304
        tags.add((await client.get(f"{job}/{name}")).headers["etag"])
    assert len(tags) == 6, "two colormaps and the array itself, of two artifacts"


async def test_a_map_is_drawn_only_if_the_format_is_named(client: httpx.AsyncClient, job: str) -> None:
    """A browser accepts every picture before anything else, and would never get the numbers."""
    answer = await client.get(f"{job}/map", headers={"Accept": "image/avif,image/webp,image/png,*/*;q=0.8"})
    assert answer.content == npy(MAP)
    problem_of(await client.get(f"{job}/map", headers={"Accept": "image/png"}), 406, "not_acceptable")
    problem = problem_of(await client.get(f"{job}/map?format=webp"), 406, "not_acceptable")
    assert (problem.allowed or "").endswith("json (application/json), png (image/png)")


async def test_what_is_not_a_map_is_not_drawn(client: httpx.AsyncClient, job: str) -> None:
    for name in ("mapping", "logits", "map.one"):
        problem_of(await client.get(f"{job}/{name}?format=png"), 406, "not_acceptable")
    for query, way in (
        ("map?colormap=hot", "Add `format=png`"),
        ("overlay?colormap=hot", "Leave"),
        ("logits?format=npy&colormap=hot", "Leave"),
    ):
        problem = problem_of(await client.get(f"{job}/{query}"), 422, "invalid_parameters")
        assert (problem.pointer, problem.got) == ("/colormap", "hot")
        assert way in problem.detail
    problem_of(await client.get(f"{job}/map?format=png&colormap=rainbow"), 422, "invalid_parameters")
