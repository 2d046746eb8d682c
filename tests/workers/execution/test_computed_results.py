"""Jobs that differ only in how they are drawn share what was computed."""

from __future__ import annotations

import dataclasses
import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rendering.encode import png
from tests.workers.execution.bench import array
from workers.contract.map_place import MapPlace
from workers.execution.computed_results import ComputedResults, size_of
from workers.execution.device_jobs import DeviceResult

PHOTO = png(np.random.default_rng(3).integers(0, 256, (21, 34, 3), np.uint8))
OTHER_PHOTO = png(np.random.default_rng(4).integers(0, 256, (21, 34, 3), np.uint8))


def picture(result: Any, name: str = "overlay") -> bytes:
    (content,) = (each.content for each in result.artifacts if each.description.name == name)
    return content


async def test_a_job_in_other_colours_is_drawn_without_the_device(bench):
    first = await bench.run("grad_cam", PHOTO, fresh=False)
    assert len(bench.batches) == 1
    assert first.timings.device is not None
    second = await bench.run("grad_cam", PHOTO, fresh=False, colormap="gray", alpha=1)
    assert len(bench.batches) == 1
    assert second.timings.device is None
    assert picture(second) != picture(first)
    assert second.facts == first.facts
    np.testing.assert_array_equal(array(second, "map"), array(first, "map"))
    anew = await bench.run("grad_cam", PHOTO, fresh=True, colormap="gray", alpha=1)
    assert len(bench.batches) == 2
    assert picture(second) == picture(anew)


@pytest.mark.slow
async def test_a_slow_job_in_other_colours_is_drawn_without_the_device(bench):
    how: dict[str, Any] = {"masks": 4, "fresh": False}
    await bench.run("rise", PHOTO, **how)
    slices = len(bench.batches)
    assert (await bench.run("rise", PHOTO, colormap="gray", **how)).timings.device is None
    assert len(bench.batches) == slices


@pytest.mark.slow
@pytest.mark.parametrize("change", [{"class_index": 1}, {"precision": "bfloat16"}, {"image": OTHER_PHOTO}])
async def test_whatever_changes_the_result_is_computed(bench, change):
    first = await bench.run("grad_cam", PHOTO, fresh=False, class_index=0)
    given = {"image": PHOTO, "class_index": 0, "colormap": "gray"} | change
    second = await bench.run("grad_cam", given.pop("image"), fresh=False, **given)
    assert len(bench.batches) == 2
    assert second.timings.device is not None
    assert (array(second, "map") != array(first, "map")).any()


@dataclasses.dataclass
class _Counted:
    """A job's result of a number of bytes, and how often it was computed."""

    size: int
    count: int = 0

    async def compute(self) -> DeviceResult[Any]:
        self.count += 1
        return DeviceResult(np.zeros(self.size - 100, np.uint8), 0.5, 1)


def _job(image: str) -> Any:
    params = SimpleNamespace(model_dump_json=lambda exclude: json.dumps(sorted(exclude)), only_drawn={"alpha"})
    execution = SimpleNamespace(method="grad_cam", image_id=image, inputs={}, fresh=False)
    return SimpleNamespace(execution=execution, params=params, model=None, further=())


async def test_the_results_that_were_not_used_for_the_longest_time_make_room():
    results = ComputedResults(1000)
    made = {name: _Counted(size) for name, size in {"a": 400, "b": 400, "c": 300, "large": 1001}.items()}
    for name in ("a", "b", "a", "c", "a", "b", "large", "large", "b"):  # c takes the place of b, and then b that of c
        await results.of(_job(name), made[name].compute)
    assert {name: each.count for name, each in made.items()} == {"a": 1, "b": 2, "c": 1, "large": 2}


def test_the_size_of_a_result_is_that_of_its_arrays():
    whole = np.zeros((10, 30), np.float32)
    assert size_of(whole) == 1300
    assert size_of(whole[0]) == 1300  # the view keeps all of it alive
    assert size_of({"four": (1, None, "text")}) == 100 + 104 + (100 + 100 + 100 + 104)
    place = MapPlace.whole((4, 5))
    assert size_of(frozenset({1})) == 200
    assert size_of(place) == 100 + (100 + 400) + (100 + 400) + (100 + 200)
    assert size_of([whole, object()]) is None
