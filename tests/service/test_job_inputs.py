"""Values for a model's inputs and arrays in place of photos, over HTTP: what is accepted, what the worker gets, and what is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import numpy as np
import pytest

from decoding.array_file import array_file, read_array
from jobstore.store import JobStore
from schemas.models import InputSpec, Layer, LayerKind, ModelDescription, ModelInput, Preprocessing
from tests.schemas.tiny import description, layer
from tests.service.fake_worker import FakeWorker, png
from tests.service.test_errors import problem_of

PLAIN = Preprocessing()
PHOTO = png()
ABSENT = "img_" + "0" * 64
INPUTS = (
    ModelInput(name="input", shape=(20, 30, 3), dtype="float32", preprocessing=PLAIN, default_layer="block5_conv3"),
    ModelInput(name="right", shape=(20, 30, 3), dtype="float32", preprocessing=PLAIN, default_layer="right_conv"),
    ModelInput(name="depth", shape=(4, 5, 1), dtype="float32", preprocessing=Preprocessing.named("caffe")),
    ModelInput(name="metadata", shape=(2,), dtype="float32"),
    ModelInput(name="month", shape=(1,), dtype="int32"),
)


def several_inputs() -> ModelDescription:
    def seen(path: str, *inputs: str) -> Layer:
        return layer(path, LayerKind.CONV, (5, 7, 8), (), cam_able=True).model_copy(update={"inputs": inputs})

    layers = (seen("block5_conv3", "input"), seen("right_conv", "right"), seen("both", "input", "right"))
    return description(inputs=INPUTS, other_inputs=tuple(each.name for each in INPUTS[1:]), layers=layers)


def of_bands(channels: int = 6, bands: tuple[int, int, int] | None = None) -> ModelDescription:
    spec = InputSpec(name="input", height=3, width=4, channels=channels)
    given = ModelInput(name="input", shape=(3, 4, channels), dtype="float32", preprocessing=PLAIN, bands=bands)
    return description(input=spec, inputs=(given,))


@pytest.fixture
async def pairs(worker: FakeWorker) -> FakeWorker:
    await worker.publish(several_inputs())
    return worker


def array_of(values: np.ndarray) -> dict[str, Any]:
    content = np.ascontiguousarray(values, values.dtype.newbyteorder("<")).tobytes()
    return {"array": {"dtype": values.dtype.name, "shape": list(values.shape), "base64": base64.b64encode(content).decode()}}


def inline(content: bytes = PHOTO) -> dict[str, str]:
    return {"base64": base64.b64encode(content).decode()}


async def post(
    client: httpx.AsyncClient, inputs: Any = None, image: Any = "photo", method: str = "grad_cam", **params: Any
) -> httpx.Response:
    body: dict[str, Any] = {"method": method, "model": "vgg16", "params": params}
    if image is not None:
        body["image"] = inline() if image == "photo" else image
    return await client.post("/v1/jobs", json=body if inputs is None else {**body, "inputs": inputs})


async def test_the_worker_gets_every_value_as_a_file(client: httpx.AsyncClient, pairs: FakeWorker, store: JobStore) -> None:
    uploaded = (await client.post("/v1/images", files={"image": png(9, 5, 3)})).json()["id"]
    depth = np.arange(20, dtype=np.uint16).reshape(4, 5) * 3000
    inputs = {"metadata": [3.25, 1], "month": 11, "right": {"image": {"id": uploaded}}, "depth": array_of(depth)}
    answer = await post(client, inputs)
    assert answer.status_code == 202, answer.text
    execution = await pairs.claim()
    assert execution.inputs["right"] == uploaded
    files = {name: await store.images.file_of(execution, file_id) for name, file_id in execution.inputs.items()}
    assert files["right"] == png(9, 5, 3)
    got = {name: read_array(files[name]) for name in ("metadata", "month", "depth")}
    np.testing.assert_array_equal(got["metadata"], np.array([3.25, 1], np.float32))
    np.testing.assert_array_equal(got["month"], np.array([11], np.int32))
    assert (got["month"].dtype, got["metadata"].dtype, got["depth"].dtype) == (np.int32, np.float32, np.uint16)
    np.testing.assert_array_equal(got["depth"], depth)


async def test_other_values_are_another_execution_and_equal_ones_the_same(client: httpx.AsyncClient, pairs: FakeWorker) -> None:
    await post(client, {"metadata": [1, 2]})
    first = await pairs.work()
    again = (await post(client, {"metadata": [1.0, 2.0]})).json()
    assert again["cached"] is True
    await post(client, {"metadata": [1, 3]})
    await post(client)
    assert len({first.key, (await pairs.claim()).key, (await pairs.claim()).key}) == 3


async def test_the_same_idempotency_key_with_other_values_is_refused(client: httpx.AsyncClient, pairs: FakeWorker) -> None:
    headers = {"Idempotency-Key": "one"}
    body = {"method": "predict", "model": "vgg16", "image": inline(), "inputs": {"metadata": [1, 2]}}
    assert (await client.post("/v1/jobs", json=body, headers=headers)).status_code == 202
    answer = await client.post("/v1/jobs", json={**body, "inputs": {"metadata": [1, 3]}}, headers=headers)
    problem_of(answer, 422, "idempotency_key_reused")


async def test_every_wrong_value_says_what_was_got_and_what_is_allowed(client: httpx.AsyncClient, pairs: FakeWorker) -> None:
    uploaded = (await client.post("/v1/images", files={"image": png(9, 5, 3)})).json()["id"]
    wrong: list[tuple[Any, int, str, str, str]] = [
        ({"metdata": [1, 2]}, 422, "invalid_parameters", "/inputs/metdata", "Nearest: metadata"),
        ({"metadata": [1, 2, 3]}, 422, "invalid_parameters", "/inputs/metadata", r"shape (2,); got (3,)"),
        ({"metadata": 4}, 422, "invalid_parameters", "/inputs/metadata", r"shape (2,); got ()"),
        ({"metadata": [1e300, 0]}, 422, "invalid_parameters", "/inputs/metadata", "float32"),
        ({"month": 2.5}, 422, "invalid_parameters", "/inputs/month", "takes whole numbers (int32); got a fraction"),
        ({"month": 2**40}, 422, "invalid_parameters", "/inputs/month", "from -2147483648 to 2147483647"),
        ({"month": "May"}, 422, "invalid_parameters", "/inputs/month", "An input takes numbers"),
        ({"month": [[1], [2, 3]]}, 422, "invalid_parameters", "/inputs/month", "equal lengths"),
        ({"right": {"image": {"url": "x"}}}, 422, "invalid_parameters", "/inputs/right/image", "does not fetch"),
        (
            {"right": array_of(np.zeros((19, 30, 3), np.uint8))},
            422,
            "invalid_parameters",
            "/inputs/right/array",
            "(20, 30, 3); got (19, 30, 3)",
        ),
        ({"right": {"image": {"id": ABSENT}}}, 404, "not_found", "/inputs/right/image/id", "no image"),
        ({"depth": {"image": {"id": uploaded}}}, 415, "unsupported_format", "/inputs/depth/image/id", "Send an array"),
        ({"metadata": {"image": inline()}}, 415, "unsupported_format", "/inputs/metadata/image/base64", "is no image"),
        ({"input": {"image": inline()}}, 422, "invalid_parameters", "/inputs/input", "got two"),
        ([1], 422, "invalid_parameters", "/inputs", "names of inputs"),
    ]
    for inputs, status, code, pointer, words in wrong:
        problem = problem_of(await post(client, inputs), status, code)
        assert problem.pointer == pointer, inputs
        assert words in problem.detail, problem.detail
    assert await pairs.nothing_queued()


async def test_a_method_that_shows_no_image_to_the_model_takes_no_values(client: httpx.AsyncClient, pairs: FakeWorker) -> None:
    answer = await post(client, {"metadata": [1, 2]}, image=None, method="filters", layer="both")
    assert problem_of(answer, 422, "image_unexpected").pointer == "/inputs"
    answer = await post(client, {"metadata": [1, 2]}, method="feature_inversion", layer="both")
    assert problem_of(answer, 422, "image_unexpected").pointer == "/inputs"


async def test_another_input_is_explained(client: httpx.AsyncClient, pairs: FakeWorker) -> None:
    right = {"right": {"image": inline(png(9, 5, 3))}}
    job = (await post(client, right, input="right")).json()
    assert (job["params"]["input"], job["params"]["layer"]) == ("right", "right_conv")
    assert (await post(client, right)).json()["params"]["input"] == "input"
    alone = await post(client, right, image=None, input="right")
    assert alone.status_code == 202, "the input that takes the photo is then filled with zeros"
    problem = problem_of(await post(client, input="right"), 422, "image_required")
    assert problem.pointer == "/inputs/right"
    problem = problem_of(await post(client, right, layer="block5_conv3", input="right"), 422, "unsuitable_layer")
    assert "right_conv, both" in problem.detail
    problem = problem_of(await post(client, right, input="rigth"), 422, "invalid_parameters")
    assert (problem.pointer, problem.nearest) == ("/params/input", ("right",))
    problem = problem_of(await post(client, {"metadata": [1, 2]}, input="metadata"), 422, "invalid_parameters")
    assert problem.allowed == "input, right, depth"


async def test_the_photo_may_be_among_the_inputs(client: httpx.AsyncClient, pairs: FakeWorker) -> None:
    answer = await post(client, {"input": {"image": inline()}, "metadata": [1, 2]}, image=None)
    assert answer.status_code == 202, answer.text
    execution = await pairs.claim()
    assert execution.image_id is not None
    assert list(execution.inputs) == ["metadata"]


async def test_files_and_a_json_field_in_forms(client: httpx.AsyncClient, pairs: FakeWorker, store: JobStore) -> None:
    depth = np.linspace(0, 1, 20, dtype=np.float32).reshape(4, 5)
    parts = {"image": PHOTO, "inputs.right": png(9, 5, 4), "inputs.depth": ("depth.npy", array_file(depth))}
    fields = {"model": "vgg16", "inputs": json.dumps({"metadata": [0.5, 2]})}
    answer = await client.post("/v1/grad_cam", data=fields, files=parts, headers={"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    execution = await pairs.claim()
    assert sorted(execution.inputs) == ["depth", "metadata", "right"]
    np.testing.assert_array_equal(read_array(await store.images.file_of(execution, execution.inputs["depth"])), depth)
    request = json.dumps({"method": "grad_cam", "model": "vgg16", "inputs": {"metadata": [0.5, 2]}})
    answer = await client.post("/v1/jobs", data={"request": request}, files=parts)
    assert answer.json()["id"] != execution.key
    assert await pairs.nothing_queued(), "it is the same work"
    twice = {"model": "vgg16", "inputs": json.dumps({"right": {"image": {"id": ABSENT}}})}
    problem_of(await client.post("/v1/grad_cam", data=twice, files=parts), 422, "invalid_parameters")


async def test_an_array_takes_the_place_of_a_photo(client: httpx.AsyncClient, worker: FakeWorker, store: JobStore) -> None:
    await worker.publish(of_bands())
    array = np.arange(72, dtype=np.uint16).reshape(3, 4, 6) * 900
    job = (await post(client, image=array_of(array), layer="block5_conv3")).json()
    assert job["params"]["bands"] == [0, 1, 2]
    np.testing.assert_array_equal(read_array(await store.images.file_of(await worker.claim())), array)
    uploaded = await client.post("/v1/images", content=array_file(array), headers={"Content-Type": "application/x-npy"})
    assert uploaded.status_code == 201, uploaded.text
    assert (uploaded.json()["format"], uploaded.json()["height"], uploaded.json()["width"]) == ("NPY", 3, 4)
    again = await post(client, image={"id": uploaded.json()["id"]}, layer="block5_conv3", bands=[0, 1, 2])
    assert again.status_code == 202
    assert await worker.nothing_queued(), "it is the same work"
    fields = {"model": "vgg16", "bands": "5,3,1"}
    answer = await client.post("/v1/predict", data=fields, files={"image": array_file(array)}, headers={"Prefer": "respond-async"})
    assert answer.json()["params"]["bands"] == [5, 3, 1]


async def test_arrays_that_do_not_fit_are_refused(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.publish(of_bands(bands=(3, 2, 1)))
    good = np.ones((3, 4, 6), np.float32)
    assert (await post(client, image=array_of(good))).json()["params"]["bands"] == [3, 2, 1]
    problem = problem_of(await post(client, image=array_of(good), bands=[0, 6, 1]), 422, "invalid_parameters")
    assert (problem.pointer, problem.allowed) == ("/params/bands", "0 to 5")
    problem = problem_of(await post(client, image=array_of(good[..., :5])), 422, "invalid_parameters")
    assert "takes an array of shape (3, 4, 6); got (3, 4, 5)" in problem.detail
    problem = problem_of(await post(client), 415, "unsupported_format")
    assert "Send an array" in problem.detail
    broken = good.copy()
    broken[2, 1, 3] = np.nan
    problem = problem_of(await post(client, image=array_of(broken)), 422, "invalid_image")
    assert "finite numbers; got nan at [2, 1, 3]" in problem.detail
    short = array_of(good)
    short["array"]["shape"] = [3, 4, 7]
    assert problem_of(await post(client, image=short), 422, "invalid_image").allowed == "336 bytes"
    problem_of(await post(client, image={"array": {"dtype": "object", "shape": [1], "base64": "AA=="}}), 422, "invalid_parameters")


async def test_bands_of_a_photo_are_refused(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    assert problem_of(await post(client, bands=[0]), 422, "invalid_parameters").pointer == "/params/bands"


async def test_several_images_fit_the_model_too(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.publish(of_bands())
    good, other = array_file(np.ones((3, 4, 6), np.float32)), array_file(np.ones((3, 4, 5), np.float32))
    answer = await client.post("/v1/predict_batch", data={"model": "vgg16"}, files=[("images", good)], headers={"Prefer": "respond-async"})
    assert answer.status_code == 202, answer.text
    for wrong, code, status in ((other, "invalid_parameters", 422), (PHOTO, "unsupported_format", 415)):
        files = [("images", good), ("images", wrong)]
        problem = problem_of(await client.post("/v1/predict_batch", data={"model": "vgg16"}, files=files), status, code)
        assert problem.pointer == "/images/1"


async def test_pictures_are_made_for_models_of_one_or_three_channels_only(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.publish(of_bands())
    for method in ("filters", "filter_atlas"):
        problem = problem_of(await post(client, image=None, method=method), 422, "invalid_parameters")
        assert (problem.pointer, problem.got) == ("/model", "6")


async def test_methods_that_change_a_photo_take_no_array(client: httpx.AsyncClient, worker: FakeWorker) -> None:
    await worker.publish(of_bands(3))
    array = np.ones((3, 4, 3), np.float32)
    for method in ("deep_dream", "feature_inversion"):
        problem = problem_of(await post(client, image=array_of(array), method=method), 415, "unsupported_format")
        assert "starts from a photo" in problem.detail
