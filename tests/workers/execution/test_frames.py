"""Jobs on animated files: each frame is explained like a job of its own, and the outputs are merged."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest
from PIL import Image, ImageSequence

from jobstore.records import Result
from schemas.errors import InvalidImage
from schemas.methods import METHODS
from tests.decoding.image_files import saved
from tests.decoding.test_frames import COLOURS, DURATIONS, animated, indices
from tests.workers.execution.bench import array
from tests.workers.tiny import photo
from workers.methods import implementation

HEIGHT, WIDTH = 31, 45
for _method in METHODS:
    implementation(_method)  # the module is imported here, because this takes longer than the event loop may be busy


def content_of(result: Result, name: str) -> bytes:
    (content,) = (each.content for each in result.artifacts if each.description.name == name)
    return content


def picture(result: Result, name: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(content_of(result, name))))


@pytest.mark.parametrize("kind", ["GIF", "WEBP"])
async def test_each_frame_is_explained_as_a_job_on_it_alone(bench, kind):
    frames = indices(5, 4, 6).repeat(8, axis=1).repeat(8, axis=2)[:, :HEIGHT, :WIDTH]
    together = await bench.run("grad_cam", animated(kind, frames), frames=64)
    assert bench.batches[0] == 1  # it decides the class
    assert sum(bench.batches) == 5
    facts = json.loads(together.facts)
    explained = facts["class_index"]
    singles = [await bench.run("grad_cam", saved(Image.fromarray(COLOURS[frame]), "PNG"), class_index=explained) for frame in frames]
    assert json.loads((await bench.run("grad_cam", animated(kind, frames))).facts)["class_index"] == explained

    np.testing.assert_allclose(array(together, "map"), np.stack([array(each, "map") for each in singles]), atol=1e-6)
    assert np.ptp(array(together, "map"), axis=0).max() > 1e-3  # the frames differ
    assert facts["animation"]["class_from"] == "first_frame"
    for number, (found, single) in enumerate(zip(facts["animation"]["frames"], singles, strict=True)):
        assert (found["number"], found["milliseconds"], found["value"]) == (number, DURATIONS[number], None)
        (scored,), (expected,) = found["classes"], json.loads(single.facts)["classes"]
        assert scored["class_index"] == explained
        assert scored["probability"] == pytest.approx(expected["probability"], rel=1e-4)
    for name in ("overlay", "heatmap"):
        assert picture(together, name).shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_array_equal(picture(together, "overlay"), picture(singles[0], "overlay"))

    with Image.open(io.BytesIO(content_of(together, "animation"))) as shown:
        read = [(np.asarray(frame.convert("RGB")).astype(int), frame.info["duration"]) for frame in ImageSequence.Iterator(shown)]
    assert [duration for _, duration in read] == DURATIONS
    for (image, _), single in zip(read, singles, strict=True):
        distances = [np.abs(image - picture(each, "overlay")).mean() for each in singles]
        assert np.argmin(distances) == singles.index(single)
        assert min(distances) < 15  # the animation is lossy
    (animation,) = (each.description for each in together.artifacts if each.description.kind == "animation")
    assert (animation.name, animation.shape, animation.primary) == ("animation", (5, HEIGHT, WIDTH, 3), False)


async def test_a_given_class_a_target_and_no_class_are_said_in_the_facts(bench):
    content = animated("WEBP", indices(3, HEIGHT, WIDTH))
    given = json.loads((await bench.run("hires_cam", content, frames=2, class_index=3)).facts)["animation"]
    assert given["class_from"] == "request"
    assert [(each["number"], each["milliseconds"], each["classes"][0]["class_index"]) for each in given["frames"]] == [
        (0, 50, 3),
        (1, 150, 3),
    ]

    result = await bench.run("layer_cam", content, frames=3, target={"difference": {"of": 1, "from": [2]}}, layer=["stem", "relu"])
    target = json.loads(result.facts)["animation"]
    assert target["class_from"] is None
    assert len({each["value"] for each in target["frames"]}) == 3
    assert [each["classes"] for each in target["frames"]] == [[], [], []]
    assert {each.description.name: each.description.shape[0] for each in result.artifacts if each.description.kind == "array"} == {
        "map": 3,
        "map.stem": 3,
        "map.relu": 3,
    }
    each_frame = json.loads((await bench.run("eigen_cam", content, frames=3)).facts)["animation"]
    assert each_frame["class_from"] == "each_frame"


async def test_a_still_image_has_one_frame_and_without_frames_nothing_changes(bench):
    content = photo(2)
    still, plain = await bench.run("grad_cam", content, frames=8), await bench.run("grad_cam", content)
    np.testing.assert_allclose(array(still, "map"), array(plain, "map")[None], atol=1e-6)
    np.testing.assert_array_equal(picture(still, "overlay"), picture(plain, "overlay"))
    with Image.open(io.BytesIO(content_of(still, "animation"))) as shown:
        assert (shown.n_frames, shown.size) == (1, (WIDTH, HEIGHT))
    assert json.loads(plain.facts)["animation"] is None
    assert [each.description.name for each in plain.artifacts if hasattr(each, "content")] == ["overlay", "map"]
    assert (still.provenance, still.warnings) == (plain.provenance, plain.warnings)


async def test_a_damaged_frame_fails_the_job_and_is_named(bench):
    content = animated("PNG", indices(3, 200, 300))
    with pytest.raises(InvalidImage, match="Frame 2 of the PNG file"):
        await bench.run("grad_cam", content[: -len(content) // 6], frames=3)


QUICK = {
    "saliency": {},
    "occlusion": {"window": 12, "stride": 12},
    "grad_x_input": {},
    "guided_backprop": {},
    "guided_grad_cam": {},
    "integrated_gradients": {"steps": 3},
    "smooth_grad": {"samples": 2},
    "score_cam": {"max_channels": 2},
    "ablation_cam": {"max_channels": 2},
    "recipro_cam": {"max_positions": 9},
    "rise": {"masks": 12, "cells": 3},
    "compare": {"methods": ["layer_cam", "ablation_cam"], "max_channels": 2},
}


@pytest.mark.parametrize("method", [pytest.param(name, marks=() if name == "occlusion" else pytest.mark.slow) for name in QUICK])
async def test_methods_of_both_lanes_explain_each_frame_as_a_job_on_it_alone(bench, method):
    frames, progress = indices(3, 4, 6).repeat(8, axis=1).repeat(8, axis=2)[:, :HEIGHT, :WIDTH], []
    together = await bench.run(
        method, animated("GIF", frames), frames=3, on_slice=lambda made: progress.append((made.step, made.total)), **QUICK[method]
    )
    explained = json.loads(together.facts)["class_index"]
    singles = [
        await bench.run(method, saved(Image.fromarray(COLOURS[frame]), "PNG"), class_index=explained, **QUICK[method]) for frame in frames
    ]
    names = [each.description.name for each in singles[0].artifacts if each.description.kind == "array"]
    assert names
    for name in names:
        expected = np.stack([array(each, name) for each in singles])
        np.testing.assert_allclose(array(together, name), expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    found = json.loads(together.facts)["animation"]
    assert (found["class_from"], [each["number"] for each in found["frames"]]) == ("first_frame", [0, 1, 2])
    (animation,) = (each.description for each in together.artifacts if each.description.kind == "animation")
    assert animation.shape[0] == 3
    assert progress == sorted(progress)
    assert len({total for _, total in progress}) <= 1
    if progress:
        assert progress[-1][0] == progress[-1][1]
