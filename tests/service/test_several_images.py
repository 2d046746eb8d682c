"""A method that reads several images: named by their ids among its parameters, or sent as files."""

from __future__ import annotations

import hashlib
import json

import httpx
import pytest

from jobstore.store import JobStore
from service.app import create_app
from service.settings import ServiceSettings
from tests.service.conftest import client_of
from tests.service.played import PlayedWorker, png
from tests.service.test_errors import problem_of
from tests.service.test_limits import large_png

ABSENT = "img_" + "0" * 64


async def uploaded(client: httpx.AsyncClient, count: int) -> list[str]:
    return [(await client.post("/v1/images", files={"image": png(9, 5, seed)})).json()["id"] for seed in range(count)]


def patches(images: list[str], **more: object) -> dict[str, object]:
    return {"method": "top_patches", "model": "vgg16", "params": {"images": images, "channels": [1]}, **more}


async def test_the_worker_gets_their_ids(client: httpx.AsyncClient, worker: PlayedWorker, store: JobStore) -> None:
    images = await uploaded(client, 3)
    answer = await client.post("/v1/jobs", json=patches(images))
    assert answer.status_code == 202, answer.text
    execution = await worker.claim("slow")
    assert json.loads(execution.params)["images"] == images
    assert execution.image_id is None
    assert await store.images.file(images[2]) == png(9, 5, 2)


async def test_other_images_are_other_work(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    images = await uploaded(client, 3)
    for asked in (images, images, images[::-1], images[:2]):
        assert (await client.post("/v1/jobs", json=patches(asked))).status_code == 202
    for _ in range(3):
        await worker.claim("slow")
    assert await worker.nothing_queued("slow")


async def test_one_that_is_not_there_is_named(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    images = await uploaded(client, 3)
    problem = problem_of(await client.post("/v1/jobs", json=patches([*images, ABSENT])), 404, "not_found")
    assert (problem.pointer, problem.got) == ("/params/images/3", ABSENT)
    form = {"model": "vgg16", "images": f"{images[0]},{ABSENT}"}
    problem = problem_of(await client.post("/v1/top_patches", data=form), 404, "not_found")
    assert problem.pointer == "/images/1"
    assert await worker.nothing_queued("slow")


async def test_anothers_is_not_there(client: httpx.AsyncClient, worker: PlayedWorker, store: JobStore) -> None:
    images = await uploaded(client, 1)
    theirs = await store.images.put("somebody-else", png(9, 5, 7), "PNG", 9, 5)
    problem = problem_of(await client.post("/v1/jobs", json=patches([images[0], theirs.id])), 404, "not_found")
    assert problem.pointer == "/params/images/1"


async def test_they_are_bounded_in_number_and_in_pixels(settings: ServiceSettings, store: JobStore, worker: PlayedWorker) -> None:
    """9 × 5 pixels each."""
    bounded = settings.model_copy(update={"max_images": 3, "max_images_pixels": 90})
    async with client_of(create_app(bounded, store)) as client:
        images = await uploaded(client, 4)
        problem = problem_of(await client.post("/v1/jobs", json=patches(images)), 422, "limit_exceeded")
        assert (problem.pointer, problem.allowed, problem.got) == ("/params/images", "at most 3", "4")
        problem = problem_of(await client.post("/v1/jobs", json=patches(images[:3])), 422, "limit_exceeded")
        assert (problem.pointer, problem.allowed, problem.got) == ("/params/images", "at most 90 pixels", "135")
        assert (await client.post("/v1/jobs", json=patches(images[:2]))).status_code == 202


async def test_an_image_beside_them_is_refused(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    images = await uploaded(client, 2)
    problem = problem_of(await client.post("/v1/jobs", json=patches(images, image={"id": images[0]})), 422, "image_unexpected")
    assert "takes several images, in `images`" in problem.detail
    problem = problem_of(
        await client.post("/v1/top_patches", data={"model": "vgg16", "images": images}, files={"image": png()}), 422, "invalid_parameters"
    )
    assert (problem.pointer, problem.allowed, problem.nearest) == ("/image", "images", ("images",))


async def test_the_form_takes_ids_repeated_and_with_commas(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    images = await uploaded(client, 2)
    for given in (images, ",".join(images), json.dumps(images), images[0]):
        answer = await client.post("/v1/top_patches", data={"model": "vgg16", "images": given}, headers={"Prefer": "wait=0"})
        assert answer.status_code == 202, answer.text
        assert answer.json()["params"]["images"] == ([given] if given == images[0] else images)


PHOTOS = [png(9, 5, seed) for seed in range(4)]
IDS = [f"img_{hashlib.sha256(photo).hexdigest()}" for photo in PHOTOS]
NO_WAIT = {"Prefer": "wait=0"}


def files(*photos: bytes) -> list[tuple[str, tuple[str, bytes]]]:
    return [("images", (f"{number}.png", photo)) for number, photo in enumerate(photos)]


def of_request(request: dict[str, object]) -> tuple[str, tuple[None, str]]:
    return "request", (None, json.dumps(request))


async def post(client: httpx.AsyncClient, *photos: bytes, path: str = "/v1/top_patches", **fields: str) -> httpx.Response:
    return await client.post(path, data={"model": "vgg16", **fields}, files=files(*photos), headers=NO_WAIT)


async def nothing_stored(store: JobStore, worker: PlayedWorker) -> bool:
    """Neither a photo of these nor a job."""
    return await store.images.keep("anonymous", IDS) == [None] * len(IDS) and await worker.nothing_queued("slow")


async def test_files_are_uploaded_for_the_caller(client: httpx.AsyncClient, worker: PlayedWorker, store: JobStore) -> None:
    answer = await post(client, *PHOTOS[:3], channels="[1]")
    assert answer.status_code == 202, answer.text
    assert answer.json()["params"]["images"] == IDS[:3]
    execution = await worker.claim("slow")
    assert json.loads(execution.params)["images"] == IDS[:3]
    assert [await store.images.file(image_id) for image_id in IDS[:3]] == PHOTOS[:3]
    by_id = await client.post("/v1/jobs", json=patches(IDS[:3]))
    assert (by_id.status_code, by_id.json()["state"]) == (202, "running")  # it is the same work


async def test_files_and_ids_keep_their_order(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
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


async def test_a_submission_with_files_beside_it(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    """After the ids that it names itself, if any."""
    await client.post("/v1/images", files={"image": PHOTOS[3]})
    for named in ([], [IDS[3]]):
        request = of_request({"method": "predict_batch", "model": "vgg16", "params": {"top": 2, **({"images": named} if named else {})}})
        answer = await client.post("/v1/jobs", files=[request, *files(*PHOTOS[:2])])
        assert answer.status_code == 202, answer.text
        assert answer.json()["params"]["images"] == [*named, *IDS[:2]]
    bare = of_request({"method": "predict_batch", "model": "vgg16"})
    assert (await client.post("/v1/jobs", files=[bare, *files(PHOTOS[0])])).json()["params"]["images"] == IDS[:1]


async def test_a_method_of_one_image_takes_no_several(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    for method, words in (("grad_cam", "takes one image, as the part 'image'"), ("filters", "takes no image")):
        answer = await client.post("/v1/jobs", files=[of_request({"method": method, "model": "vgg16"}), *files(*PHOTOS[:2])])
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
async def test_what_is_refused_is_not_stored(
    client: httpx.AsyncClient,
    worker: PlayedWorker,
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
async def test_each_file_is_judged_by_its_header(
    client: httpx.AsyncClient, worker: PlayedWorker, store: JobStore, content: bytes, status: int, code: str
) -> None:
    bare = of_request({"method": "top_patches", "model": "vgg16"})
    parts = [*files(*PHOTOS[:2]), ("images", ("third one.png", content))]
    for answer in (
        await client.post("/v1/top_patches", data={"model": "vgg16"}, files=parts),
        await client.post("/v1/jobs", files=[bare, *parts]),
    ):
        problem = problem_of(answer, status, code)
        assert problem.pointer == "/images/2"
        assert problem.detail.startswith("Image 2 (third one.png): ")
    assert await nothing_stored(store, worker)


async def test_files_are_bounded_in_number_in_bytes_and_in_pixels(settings: ServiceSettings, store: JobStore, worker: PlayedWorker) -> None:
    """9 × 5 pixels each."""
    bounded = settings.model_copy(update={"max_images": 3, "max_images_pixels": 90, "max_image_bytes": 400})
    async with client_of(create_app(bounded, store)) as client:
        bare = of_request({"method": "top_patches", "model": "vgg16"})
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
        assert problem.got == "135"  # with those that were there
        assert (await post(client, *PHOTOS[:2])).status_code == 202


async def test_an_idempotency_key_covers_the_files(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    async def asked(*photos: bytes) -> httpx.Response:
        headers = {"Idempotency-Key": "k", **NO_WAIT}
        return await client.post("/v1/predict_batch", data={"model": "vgg16"}, files=files(*photos), headers=headers)

    first, again, other = await asked(*PHOTOS[:2]), await asked(*PHOTOS[:2]), await asked(*PHOTOS[1:3])
    assert first.json()["id"] == again.json()["id"]
    problem_of(other, 422, "idempotency_key_reused")


async def test_the_same_ids_again_and_again_are_found_at_once(client: httpx.AsyncClient, worker: PlayedWorker) -> None:
    problem = problem_of(
        await client.post("/v1/jobs", json=patches([*(f"img_{n:064x}" for n in range(19_000)), IDS[0], IDS[0]])), 422, "invalid_parameters"
    )
    assert "number 19001 is the same image as number 19000" in problem.detail
