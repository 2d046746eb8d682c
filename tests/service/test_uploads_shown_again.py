"""An upload is shown again, listed and deleted: `/v1/images` and `/v1/images/{id}`."""

from __future__ import annotations

import io
from typing import Any, get_args

import httpx
import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image

from jobstore.store import JobStore
from service.image_contents import STORED_AS
from service.settings import ServiceSettings
from tests.decoding.image_files import saved
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker, npy, pixels, png
from tests.service.keys import caller
from tests.service.test_errors import problem_of
from tests.service.test_submit import cam

RED, GREEN, BLUE, GREY = (200, 30, 20), (10, 180, 60), (40, 50, 220), (128, 128, 128)


def quarters(width: int, height: int) -> Image.Image:
    """Return a picture whose quarters are red and green above, blue and grey below."""
    image = np.empty((height, width, 3), np.uint8)
    image[: height // 2, : width // 2], image[: height // 2, width // 2 :] = RED, GREEN
    image[height // 2 :, : width // 2], image[height // 2 :, width // 2 :] = BLUE, GREY
    return Image.fromarray(image)


def centres(image: np.ndarray) -> list[list[int]]:
    """Return the colours in the middle of the four quarters, row by row."""
    height, width = image.shape[:2]
    return [image[int(height * y), int(width * x)].tolist() for y in (0.25, 0.75) for x in (0.25, 0.75)]


async def uploaded(client: httpx.AsyncClient, content: bytes) -> str:
    """Upload an image and return its address."""
    answer = await client.post("/v1/images", files={"image": content})
    assert answer.status_code == 201, answer.text
    assert answer.json()["url"] == f"/v1/images/{answer.json()['id']}"
    return answer.json()["url"]


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp"), ("GIF", "image/gif"), ("BMP", "image/bmp")],
)
async def test_the_file_comes_back_as_it_was_sent(client: httpx.AsyncClient, settings: ServiceSettings, kind: str, media_type: str) -> None:
    content = saved(quarters(47, 31), kind)
    address = await uploaded(client, content)
    answer = await client.get(address)
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, content, media_type)
    assert answer.headers["etag"] == f'"{address.removeprefix("/v1/images/img_")}"'
    assert answer.headers["cache-control"] == f"private, immutable, max-age={settings.result_ttl}"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith('inline; filename="img_')
    again = await client.get(address, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"])
    problem_of(await client.get(address, headers={"Accept": "application/json"}), 406, "not_acceptable")


def test_every_format_that_can_be_uploaded_has_a_media_type() -> None:
    (formats, _) = get_args(ServiceSettings.model_fields["image_formats"].annotation)
    assert {*get_args(formats), "NPY"} == set(STORED_AS)


@pytest.mark.parametrize("accept", ["image/png", "image/jpeg", "image/webp"])
async def test_a_thumbnail_is_upright_and_keeps_the_aspect(client: httpx.AsyncClient, accept: str) -> None:
    """Orientation 6: the stored rows are the upright columns from right to left, so the stored left side is the upright top."""
    exif = Image.Exif()
    exif[0x0112] = 6
    address = await uploaded(client, saved(quarters(190, 110), "PNG", exif=exif))
    answer = await client.get(address, params={"width": 33}, headers={"Accept": accept})
    assert (answer.status_code, answer.headers["content-type"], answer.headers["vary"]) == (200, accept, "Accept")
    shown = pixels(answer.content)
    assert shown.shape == (57, 33, 3), "the upright picture is 110 wide and 190 high, and 33 · 190 / 110 is 57"
    assert np.abs(np.array(centres(shown)) - np.array([BLUE, RED, GREY, GREEN])).max() <= (0 if accept == "image/png" else 6)


async def test_a_small_picture_is_not_enlarged(client: httpx.AsyncClient) -> None:
    address = await uploaded(client, png(47, 31))
    answer = await client.get(address, params={"width": 2048}, headers={"Accept": "image/png"})
    np.testing.assert_array_equal(pixels(answer.content), pixels(png(47, 31)))


async def test_a_thumbnail_is_webp_where_that_is_allowed(client: httpx.AsyncClient) -> None:
    address = await uploaded(client, png(47, 31))
    tags = set[str]()
    for accept, media_type in {
        "*/*": "image/webp",
        "image/avif,image/webp,image/*,*/*;q=0.8": "image/webp",
        "image/webp;q=0.1, image/jpeg": "image/jpeg",
        "image/png": "image/png",
    }.items():
        answer = await client.get(address, params={"width": 20}, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (200, media_type)
        tags.add(answer.headers["etag"])
        again = await client.get(address, params={"width": 20}, headers={"Accept": accept, "If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304
    tags.add((await client.get(address, params={"width": 21})).headers["etag"])
    tags.add((await client.get(address)).headers["etag"])
    assert len(tags) == 5
    problem_of(await client.get(address, params={"width": 20}, headers={"Accept": "text/html"}), 406, "not_acceptable")
    for width in ("15", "2049", "wide"):
        problem_of(await client.get(address, params={"width": width}), 422, "invalid_parameters")


async def test_a_picture_too_long_for_webp_has_a_jpeg_thumbnail(client: httpx.AsyncClient) -> None:
    answer = await client.get(await uploaded(client, png(2, 16_384)), params={"width": 16})
    assert (answer.status_code, answer.headers["content-type"], pixels(answer.content).shape) == (200, "image/jpeg", (16_384, 2, 3))


async def test_nothing_of_an_upload_is_decoded_in_this_process(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("an upload must be decoded in the child process")

    address = await uploaded(client, saved(quarters(60, 40), "JPEG"))
    with monkeypatch.context() as patched:
        patched.setattr(Image, "open", refuse)
        answer = await client.get(address, params={"width": 20}, headers={"Accept": "image/png"})
    assert (answer.status_code, pixels(answer.content).shape) == (200, (13, 20, 3))


async def test_a_damaged_file_comes_back_and_has_no_thumbnail(client: httpx.AsyncClient) -> None:
    content = saved(quarters(60, 40), "JPEG")[:400]
    address = await uploaded(client, content)
    assert (await client.get(address)).content == content
    problem_of(await client.get(address, params={"width": 20}), 422, "invalid_image")


async def test_an_array_is_shown_by_its_first_bands(client: httpx.AsyncClient) -> None:
    array = np.random.default_rng(7).integers(0, 256, (5, 9, 4), dtype=np.uint8)
    address = await uploaded(client, npy(array))
    whole = await client.get(address)
    assert (whole.content, whole.headers["content-type"]) == (npy(array), "application/x-npy")
    shown = await client.get(address, params={"width": 16}, headers={"Accept": "image/png"})
    np.testing.assert_array_equal(pixels(shown.content), array[..., :3])
    deep = await uploaded(client, npy(np.zeros((2, 3, 4, 5), np.float32)))
    problem_of(await client.get(deep, params={"width": 16}), 406, "not_acceptable")


async def test_uploads_are_listed_by_pages(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    addresses = [await uploaded(client, png(9, 5, seed)) for seed in range(5)]
    await client.post("/v1/images", files={"image": png(9, 5, 1)})
    await client.post("/v1/jobs", files={"image": png(9, 5, 77), "request": (None, '{"method": "grad_cam", "model": "vgg16"}')})
    wanted = [addresses[number] for number in (1, 4, 3, 2, 0)]
    page: dict[str, Any] = {"next_cursor": None}
    listed: list[str] = []
    for _ in range(3):
        page = (await client.get("/v1/images", params={"limit": 2, **({"cursor": page["next_cursor"]} if listed else {})})).json()
        listed += [item["url"] for item in page["items"]]
    assert (listed, page["next_cursor"], len(page["items"])) == (wanted, None, 1)
    for query in ({"cursor": "1"}, {"limit": 0}, {"limit": 201}):
        problem_of(await client.get("/v1/images", params=query), 422, "invalid_parameters")


async def test_a_deleted_upload_is_gone_but_not_from_a_job(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    address, other = await uploaded(client, png(9, 5, 1)), await uploaded(client, png(9, 5, 2))
    image_id = address.rsplit("/", 1)[1]
    assert (await client.post("/v1/jobs", json=cam(image={"id": image_id}))).status_code == 202
    assert (await client.delete(address)).status_code == 204
    for verb in ("GET", "DELETE"):
        problem_of(await client.request(verb, address), 404, "not_found")
    problem_of(await client.post("/v1/jobs", json=cam(image={"id": image_id})), 404, "not_found")
    assert [item["url"] for item in (await client.get("/v1/images")).json()["items"]] == [other]
    assert await store.images.file_of(await worker.claim()) == png(9, 5, 1)


@pytest.mark.parametrize("name", ["img_" + "0" * 64, "img_short", "IMG_" + "0" * 64, "*"])
async def test_an_unknown_image_is_not_found(client: httpx.AsyncClient, name: str) -> None:
    for verb in ("GET", "DELETE"):
        problem_of(await client.request(verb, f"/v1/images/{name}"), 404, "not_found")


async def test_addresses_are_signed_for_callers_with_keys(app: FastAPI, store: JobStore) -> None:
    async with caller(app, store, "ada") as ada, client_of(app) as page:
        made = (await ada.post("/v1/images", files={"image": png(47, 31)})).json()
        listed = (await ada.get("/v1/images")).json()["items"][0]
        for address in (made["url"], listed["url"]):
            assert address.startswith(f"/v1/images/{made['id']}?signature=")
            assert (await page.get(address)).content == png(47, 31)
            small = await page.get(f"{address}&width=16")
            assert Image.open(io.BytesIO(small.content)).size == (16, 11)
            assert (await page.delete(address)).status_code in (401, 404), "a signature is good for reading alone"
        assert (await ada.get(f"/v1/images/{made['id']}")).status_code == 200
