"""Files that stand in a method's parameters are uploaded, in Python and from the command line."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from convscope import AsyncClient, ImageError
from convscope.cli.parameters import read_parameters
from convscope.cli.planning import RunItem, RunRequest
from convscope.cli.save_choice import SaveChoice
from convscope.cli.submitting import RunClient
from convscope.image_input import read_image
from convscope.images_in_params import IMAGE_FIELDS
from schemas.images import NAMED_IMAGE_PATTERN
from schemas.methods import METHODS
from tests.client_python.test_results import CountsUploads
from tests.service.fake_worker import FakeWorker, png


async def test_each_form_of_an_image_may_stand_in_a_set(url: str, worker: FakeWorker, tmp_path: Path) -> None:
    """A file that several sets name is uploaded once, and ids stay as they are."""
    path, content, array = tmp_path / "a.png", png(seed=1), np.full((5, 9, 3), 40, np.uint8)
    path.write_bytes(png(seed=0))
    ids = [(await read_image(each)).id for each in (path, content, array)]
    network = CountsUploads()
    async with AsyncClient(url, transport=network) as client:
        members = [await client._uploads.id_of(png(seed=seed)) for seed in (7, 8)]
        pair = (await client._connection.request("POST", "/v1/sets", json={"name": "pair", "images": members})).json()["id"]
        before = network.uploads
        await client.submit(
            "tcav",
            model="vgg16",
            images=[pair],
            class_index=1,
            concepts=[{"name": "own", "images": (path, array)}, pair],
            random_sets=[{"name": "random", "images": [content, Image.fromarray(array), ids[0]]}, {"name": "both", "images": [pair, path]}],
        )
        assert network.uploads - before == 3
    params = json.loads((await worker.claim("slow")).params)
    assert params["images"] == members
    assert params["concepts"] == [{"name": "own", "images": [ids[0], ids[2]]}, {"name": "pair", "images": members}]
    assert params["random_sets"] == [{"name": "random", "images": [ids[1], ids[2], ids[0]]}, {"name": "both", "images": [*members, ids[0]]}]


async def test_they_are_uploaded_again_when_the_service_has_forgotten_them(url: str, worker: FakeWorker) -> None:
    network = CountsUploads()
    sets = {
        name: [{"name": "own", "images": [png(seed=first), png(seed=first + 1)]}] for name, first in (("concepts", 2), ("random_sets", 4))
    }
    async with AsyncClient(url, transport=network) as client:
        await client.submit("tcav", model="vgg16", images=[png(seed=6)], class_index=1, **sets)
        for each in (await client.images())["items"]:
            await client._connection.request("DELETE", f"/v1/images/{each['id']}")
        assert (await client.submit("tcav", model="vgg16", images=[png(seed=6)], class_index=2, **sets)).id
    assert network.uploads == 10


async def test_each_form_of_an_image_may_stand_beside_the_photo_in_a_target_and_in_a_region(
    url: str, worker: FakeWorker, tmp_path: Path
) -> None:
    path, mask = tmp_path / "other.png", np.zeros((5, 9), np.uint8)
    mask[:, 5:] = 255
    path.write_bytes(png(seed=1))
    other, drawn = (await read_image(path)).id, (await read_image(mask)).id
    target, measures = {"similarity": {"image": path, "layer": None}}, ["pointing_game"]
    network = CountsUploads()
    async with AsyncClient(url, transport=network) as client:
        swap = await client.submit("intervene", path, model="vgg16", layer="block5_conv3", action="swap", other_image=str(path))
        alike = await client.submit("grad_cam", path, model="vgg16", target=target)
        pointed = await client.submit("map_measures", path, model="vgg16", measures=measures, region={"mask": Image.fromarray(mask)})
        regions = [{"mask": mask}, {"box": [0, 0, 4, 4]}]
        ranked = await client.submit("rank_methods", model="vgg16", images=[path, png(seed=2)], measures=measures, regions=regions)
        assert target["similarity"]["image"] == path, "what the caller gave is not changed"
        assert network.uploads == 3, "each file is sent once"
        params = [job.job["params"] for job in (swap, alike, pointed, ranked)]
    assert params[0]["other_image"] == other
    assert params[1]["target"]["similarity"]["image"] == other
    assert params[2]["region"] == {"mask": drawn}
    assert params[3]["regions"][0] == {"mask": drawn}


def test_the_names_of_image_fields_are_those_of_the_service_in_both_clients() -> None:
    found = {name for params in METHODS.values() for name in image_fields(params.model_json_schema())}
    typescript = (Path(__file__).parents[2] / "client/typescript/src/submission.ts").read_text("utf-8")
    written = re.search(r"^const IMAGE_FIELDS: .*? = (\[.*\]);$", typescript, re.MULTILINE)
    assert found == set(IMAGE_FIELDS)
    assert written is not None
    assert found == set(json.loads(written[1]))


def image_fields(schema: Any, name: str = "") -> Iterator[str]:
    """Yield the names of the fields that name one image, at any depth of a schema."""
    if isinstance(schema, list):
        for each in schema:
            yield from image_fields(each, name)
    elif isinstance(schema, dict):
        if schema.get("pattern") == NAMED_IMAGE_PATTERN:
            yield name
        for field, each in schema.get("properties", {}).items():
            yield from image_fields(each, field)
        for part in ("anyOf", "oneOf", "allOf"):
            yield from image_fields(schema.get(part), name)
        for part in ("items", "prefixItems"):
            yield from image_fields(schema.get(part), "")
        for each in schema.get("$defs", {}).values():
            yield from image_fields(each)


async def test_the_concepts_of_another_method_are_a_number(url: str, worker: FakeWorker) -> None:
    async with AsyncClient(url) as client:
        await client.submit("craft", model="vgg16", images=[png()], class_index=1, concepts=2)
    assert json.loads((await worker.claim("slow")).params)["concepts"] == 2


async def test_files_in_the_parameters_of_a_run_are_sent_once_for_all_photos(url: str, worker: FakeWorker, tmp_path: Path) -> None:
    photos, other = [tmp_path / f"{seed}.png" for seed in range(3)], tmp_path / "other.png"
    for seed, path in enumerate((*photos, other)):
        path.write_bytes(png(seed=seed))
    params = read_parameters(["action=swap", f"other_image={other}", "layer=block5_conv3"])
    request, save, network = RunRequest("intervene", "vgg16", params), SaveChoice.read("json"), CountsUploads()
    async with RunClient(url, transport=network) as client:
        for path in photos:
            item = RunItem(str(path), path.name)
            call = asyncio.create_task(client.call(request, item, await client.prepared(request, item), save))
            execution = await worker.claim("slow")
            await worker.fail(execution, "invalid_image", "The image is damaged.")
            assert isinstance(await call, ImageError)
            assert json.loads(execution.params)["other_image"] == (await read_image(other)).id
        missing, item = replace(request, params=params | {"other_image": "nowhere.png"}), RunItem(str(photos[0]), "0.png")
        assert isinstance(await client.call(missing, item, await client.prepared(missing, item), save), FileNotFoundError)
    assert network.uploads == 1


async def test_files_in_the_parameters_of_a_batch_are_uploaded(url: str, tmp_path: Path) -> None:
    path = tmp_path / "other.png"
    path.write_bytes(png(seed=1))
    network = CountsUploads()
    async with AsyncClient(url, transport=network) as client:
        target = {"similarity": {"image": path}}
        batch = await client.batch("grad_cam", [png(seed=seed) for seed in range(2, 5)], model="vgg16", target=target)
    assert network.uploads == 1
    assert batch._defaults["params"]["target"] == {"similarity": {"image": (await read_image(path)).id}}


async def test_the_command_line_uploads_files_that_json_names(url: str, worker: FakeWorker, tmp_path: Path) -> None:
    photos = []
    for seed in range(5):
        photos.append(tmp_path / f"{seed}.png")
        photos[-1].write_bytes(png(seed=seed))
    ids = [(await read_image(each)).id for each in photos]
    texts = [
        "class_index=1",
        f"concepts={json.dumps([{'name': 'dots', 'images': [str(each) for each in photos[1:3]]}])}",
        f"random_sets={json.dumps([{'name': 'others', 'images': [str(each) for each in photos[3:]]}])}",
    ]
    request, item, save = RunRequest("tcav", "vgg16", read_parameters(texts)), RunItem([str(photos[0])], "tcav"), SaveChoice.read("json")
    async with RunClient(url) as client:
        call = asyncio.create_task(client.call(request, item, None, save))
        execution = await worker.claim("slow")
        await worker.fail(execution, "invalid_image", "The image is damaged.")
        assert isinstance(await call, ImageError)
        missing = replace(request, params={**request.params, "concepts": [{"name": "x", "images": ["nowhere.png", "b.png"]}]})
        assert isinstance(await client.call(missing, item, None, save), FileNotFoundError)
    params = json.loads(execution.params)
    assert params["images"] == ids[:1]
    assert params["concepts"] == [{"name": "dots", "images": ids[1:3]}]
    assert params["random_sets"] == [{"name": "others", "images": ids[3:]}]
