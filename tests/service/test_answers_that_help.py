"""Answers that help: names that are suggested, base64 of a page, a GET on a method, and what a picture says about itself."""

from __future__ import annotations

import io

import httpx
from PIL import Image

from service.job_remarks import with_text
from tests.service.fake_worker import OVERLAY, FakeWorker, encoded, png
from tests.service.test_errors import problem_of
from tests.service.test_submit import BASE64, cam


async def test_names_are_suggested(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    for wrong, right in {"efficientnet": "efficientnet_lite0", "VGG16": "vgg16", "Efficientnet_Lite": "efficientnet_lite0"}.items():
        form = {"data": {"model": wrong}, "files": {"image": png()}}
        for answer in (await client.post("/v1/jobs", json=cam(model=wrong)), await client.post("/v1/grad_cam", **form)):
            problem = problem_of(answer, 422, "unknown_model")
            assert (problem.nearest or ("",))[0] == right
    problem = problem_of(await client.post("/v1/jobs", json=cam(params={"class_index": "CAT"})), 422, "unknown_class")
    assert "Egyptian cat" in (problem.nearest or ())
    without = {name: value for name, value in cam().items() if name != "model"}
    for answer in (await client.post("/v1/jobs", json=without), await client.post("/v1/grad_cam", files={"image": png()})):
        problem = problem_of(answer, 422, "invalid_parameters")
        assert (problem.pointer, (problem.nearest or ("",))[0]) == ("/model", "efficientnet_lite0")
        assert "efficientnet_lite0" in problem.detail


async def test_base64_may_be_a_data_url(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    first = await client.post("/v1/jobs", json=cam())
    second = await client.post("/v1/jobs", json=cam(image={"base64": f"data:image/png;base64,{BASE64}"}))
    assert (first.status_code, second.status_code) == (202, 202), second.text
    await worker.work()
    assert await worker.nothing_queued(), "both have the same image"


async def test_get_on_a_method_says_what_to_post(client: httpx.AsyncClient) -> None:
    detail = problem_of(await client.get("/v1/grad_cam"), 405, "method_not_allowed").detail
    assert "curl -F image=@photo.jpg -F model=efficientnet_lite0 -o result.png localhost:8000/v1/grad_cam" in detail
    assert "/v1/methods/grad_cam" in detail
    assert "curl" not in problem_of(await client.get("/v1/batches/x/cancel"), 405, "method_not_allowed").detail


async def test_a_job_that_takes_too_long_is_504_and_goes_on(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    call = {"data": {"model": "vgg16"}, "files": {"image": png()}}
    late = await client.post("/v1/grad_cam", **call, headers={"Prefer": "wait=0"})
    assert problem_of(late, 504, "not_finished").retryable
    job_id = late.headers["location"].removeprefix("/v1/jobs/")
    assert late.headers["retry-after"] == "1"
    assert (await client.get(f"/v1/jobs/{job_id}")).json()["state"] == "queued"
    asynchronous = await client.post("/v1/grad_cam", **call, headers={"Prefer": "respond-async, wait=0"})
    assert (asynchronous.status_code, asynchronous.json()["state"]) == (202, "queued")
    await worker.work()
    assert await worker.nothing_queued(), "the second call has joined the first"
    assert (await client.post("/v1/grad_cam", **call)).status_code == 200


async def test_a_picture_says_how_it_was_made(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    call = {"data": {"model": "vgg16"}, "files": {"image": png()}}
    late = await client.post("/v1/grad_cam", **call, headers={"Prefer": "wait=0"})
    await worker.complete(await worker.claim(), warnings=("100 % of the map is zero.", "Zu groß ≥ 3"))
    answer = await client.post("/v1/grad_cam", **call)
    assert answer.headers.get_list("convscope-warning") == ["100 %25 of the map is zero.", "Zu gro%C3%9F %E2%89%A5 3"]
    with Image.open(io.BytesIO(answer.content)) as picture:
        texts = dict(picture.info)
        assert encoded(OVERLAY) == with_text(encoded(OVERLAY), [])
        assert picture.tobytes() == OVERLAY.tobytes()
    assert (texts["Method"], texts["Model"], texts["Layer"]) == ("grad_cam", "vgg16", "block5_conv3")
    assert (texts["Class"], texts["Warning"]) == ("2 (Egyptian cat)", "Zu groß ≥ 3")
    assert texts["Job"] != late.headers["location"].removeprefix("/v1/jobs/"), "a call is a job of its own"
    jpeg = await client.post("/v1/grad_cam", **call, headers={"Accept": "image/jpeg"})
    assert len(jpeg.headers.get_list("convscope-warning")) == 2
