"""A method that reads several images, which come with the request as files."""

from __future__ import annotations

import hashlib
import json

import httpx
import pytest

from jobstore.store import JobStore
from service.app import create_app
from service.settings import ServiceSettings
from tests.service.conftest import client_of
from tests.service.fake_worker import FakeWorker, png
from tests.service.test_errors import problem_of
from tests.service.test_images_by_id import ABSENT, patches
from tests.service.test_limits import large_png

PHOTOS = [png(9, 5, seed) for seed in range(4)]
IDS = [f"img_{hashlib.sha256(photo).hexdigest()}" for photo in PHOTOS]
NO_WAIT = {"Prefer": "respond-async"}


def files(*photos: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    return [("images", (f"{number}.png", photo)) for number, photo in enumerate(photos)]


def request_part(request: dict[str, object]) -> tuple[str, tuple[None, str]]:
    return "request", (None, json.dumps(request))


async def post(client: httpx.AsyncClient, *photos: bytes, path: str = "/v1/top_patches", **fields: str) -> httpx.Response:
    return await client.post(path, data={"model": "vgg16", **fields}, files=files(*photos), headers=NO_WAIT)


async def nothing_stored(store: JobStore, worker: FakeWorker) -> bool:
    """Return whether neither any of these images nor a job has been stored."""
    return await store.images.keep("anonymous", IDS) == [None] * len(IDS) and await worker.nothing_queued("slow")


async def test_files_are_uploaded_for_the_caller(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    answer = await post(client, *PHOTOS[:3], channels="[1]")
    assert answer.status_code == 202, answer.text
    assert answer.json()["params"]["images"] == IDS[:3]
    execution = await worker.claim("slow")
    assert json.loads(execution.params)["images"] == IDS[:3]
    assert [await store.images.file(image_id) for image_id in IDS[:3]] == PHOTOS[:3]
    names = dict(zip(IDS, ("0.png", "1.png", "2.png"), strict=False))
    assert answer.json()["params"]["names"] == names
    named = patches([], params={"images": IDS[:3], "channels": [1], "names": names})
    by_id = await client.post("/v1/jobs", json=named)
    assert (by_id.status_code, by_id.json()["state"]) == (202, "running")  # it is the same execution


async def test_files_and_ids_keep_their_order(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await client.post("/v1/images", files={"image": PHOTOS[1]})
    parts = [
        ("images", ("a.png", PHOTOS[0])),
        ("images", (None, IDS[1])),
        ("images", ("", b"")),
        ("images", ("c.png", PHOTOS[2])),
        ("model", (None, "vgg16")),
    ]
    answer = await client.post("/v1/top_patches", files=parts, headers=NO_WAIT)
    assert answer.status_code == 202, answer.text
    assert answer.json()["params"]["images"] == IDS[:3]


async def test_a_job_request_takes_files_beside_its_json(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    """The files follow the ids that the request itself names."""
    await client.post("/v1/images", files={"image": PHOTOS[3]})
    for named in ([], [IDS[3]]):
        request = request_part({"method": "predict_batch", "model": "vgg16", "params": {"top": 2, **({"images": named} if named else {})}})
        answer = await client.post("/v1/jobs", files=[request, *files(*PHOTOS[:2])])
        assert answer.status_code == 202, answer.text
        assert answer.json()["params"]["images"] == [*named, *IDS[:2]]
    bare = request_part({"method": "predict_batch", "model": "vgg16"})
    assert (await client.post("/v1/jobs", files=[bare, *files(PHOTOS[0])])).json()["params"]["images"] == IDS[:1]


async def test_a_method_of_one_image_refuses_several(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    for method, words in (("grad_cam", "takes one image, as the part 'image'"), ("filters", "takes no image")):
        answer = await client.post("/v1/jobs", files=[request_part({"method": method, "model": "vgg16"}), *files(*PHOTOS[:2])])
        problem = problem_of(answer, 422, "image_unexpected")
        assert problem.pointer == "/images"
        assert words in problem.detail
        answer = await client.post(f"/v1/{method}", data={"model": "vgg16"}, files=files(PHOTOS[0]))
        assert problem_of(answer, 422, "invalid_parameters").pointer == "/images"
    assert await worker.nothing_queued()


@pytest.mark.parametrize(
    ("photos", "fields", "status", "code", "pointer", "words"),
    [
        ([0, 1], {"cuont": "3"}, 422, "invalid_parameters", "/cuont", "Nearest: count."),
        ([0, 1], {"layer": "block5_conv9"}, 422, "unknown_layer", "/layer", ""),
        ([0, 1], {"model": "vgg61"}, 422, "unknown_model", "/model", ""),
        ([0, 1, 0], {}, 422, "invalid_parameters", "/images", "number 2 is the same image as number 0."),
        ([0, 1], {"images": IDS[0]}, 422, "invalid_parameters", "/images", "each image may stand here once"),
        ([0, 1], {"images": ABSENT}, 404, "not_found", "/images/0", ABSENT),
        ([], {}, 422, "image_required", "/images", "curl -F images=@a.jpg -F images=@b.jpg"),
        ([], {"images": "cat.jpg"}, 422, "invalid_parameters", "/images", "got the text cat.jpg."),
        ([], {"images": "img_12"}, 422, "invalid_parameters", "/images/0", "got img_12."),
    ],
)
async def test_a_refused_request_stores_nothing(
    client: httpx.AsyncClient,
    worker: FakeWorker,
    store: JobStore,
    photos: list[int],
    fields: dict[str, str],
    status: int,
    code: str,
    pointer: str,
    words: str,
) -> None:
    problem = problem_of(await post(client, *(PHOTOS[number] for number in photos), **fields), status, code)
    assert problem.pointer == pointer
    assert words in problem.detail
    assert await nothing_stored(store, worker)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"only words", 415, "unsupported_format"),
        (b"", 415, "unsupported_format"),
        (png()[:20], 422, "invalid_image"),
        (large_png(30_000, 30_000), 422, "image_too_large"),
    ],
)
async def test_each_file_is_checked_by_its_header(
    client: httpx.AsyncClient, worker: FakeWorker, store: JobStore, content: bytes, status: int, code: str
) -> None:
    bare = request_part({"method": "top_patches", "model": "vgg16"})
    parts = [*files(*PHOTOS[:2]), ("images", ("third one.png", content))]
    for answer in (
        await client.post("/v1/top_patches", data={"model": "vgg16"}, files=parts),
        await client.post("/v1/jobs", files=[bare, *parts]),
    ):
        problem = problem_of(answer, status, code)
        assert problem.pointer == "/images/2"
        assert problem.detail.startswith("Image 2 (third one.png): ")
    assert await nothing_stored(store, worker)


async def test_files_are_bounded_in_number_in_bytes_and_in_pixels(settings: ServiceSettings, store: JobStore, worker: FakeWorker) -> None:
    """Each image has 9 × 5 pixels."""
    bounded = settings.model_copy(update={"max_images": 3, "max_images_pixels": 90, "max_image_bytes": 400})
    async with client_of(create_app(bounded, store)) as client:
        bare = request_part({"method": "top_patches", "model": "vgg16"})
        for count, got in ((4, "4"), (12, "more than 11")):
            photos = [png(9, 5, seed) for seed in range(count)]
            for answer in (await post(client, *photos), await client.post("/v1/jobs", files=[bare, *files(*photos)])):
                problem = problem_of(answer, 422, "limit_exceeded")
                assert (problem.pointer, problem.allowed, problem.got) == ("/images", "at most 3", got)
        problem = problem_of(await post(client, *PHOTOS[:3], images=ABSENT), 422, "limit_exceeded")
        assert (problem.pointer, problem.got) == ("/images", "4")
        problem = problem_of(await post(client, *PHOTOS[:3]), 422, "limit_exceeded")
        assert (problem.pointer, problem.allowed, problem.got) == ("/images", "at most 90 pixels", "135")
        problem = problem_of(await post(client, PHOTOS[0], png(30, 30)), 413, "body_too_large")
        assert (problem.pointer, problem.allowed) == ("/images/1", "at most 400 bytes")
        assert await nothing_stored(store, worker)
        await client.post("/v1/images", files={"image": PHOTOS[0]})
        problem = problem_of(await post(client, *PHOTOS[1:3], images=IDS[0]), 422, "limit_exceeded")
        assert problem.got == "135"  # the uploaded image counts, too
        assert (await post(client, *PHOTOS[:2])).status_code == 202


async def test_an_idempotency_key_covers_the_files(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    async def asked(*photos: bytes) -> httpx.Response:
        headers = {"Idempotency-Key": "k", **NO_WAIT}
        return await client.post("/v1/predict_batch", data={"model": "vgg16"}, files=files(*photos), headers=headers)

    first, again, other = await asked(*PHOTOS[:2]), await asked(*PHOTOS[:2]), await asked(*PHOTOS[1:3])
    assert first.json()["id"] == again.json()["id"]
    problem_of(other, 422, "idempotency_key_reused")


async def test_a_form_can_carry_a_photo_and_several_images(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    form = {"model": "vgg16", "count": "1"}
    parts = [("image", ("query.png", PHOTOS[3])), *files(*PHOTOS[:2])]
    answer = await client.post("/v1/nearest", data=form, files=parts, headers=NO_WAIT)
    assert answer.status_code == 202, answer.text
    execution = await worker.claim("slow")
    assert (execution.image_id, json.loads(execution.params)["images"]) == (IDS[3], IDS[:2])
    problem_of(await client.post("/v1/nearest", data=form, files=files(*PHOTOS[:2]), headers=NO_WAIT), 422, "image_required")
    lone = [("image", ("query.png", PHOTOS[3]))]
    problem_of(await client.post("/v1/nearest", data=form, files=lone, headers=NO_WAIT), 422, "image_required")
