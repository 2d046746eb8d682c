"""The sides that ONNX networks with free sides take are found by running them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import ModelProto, NodeProto, helper

from schemas.models import Preprocessing
from tests.workers.models.forward_only_files import forward_only_entry, load, onnx_model, saved
from workers.engine.forward_only.tried_sides import tried_side_rule
from workers.models.description.describe_forward_only import describe_forward_only

FREE = ("N", 3, "h", "w")


def conv(source: str, target: str, kernel: str = "kernel", **options: object) -> NodeProto:
    return helper.make_node("Conv", [source, kernel], [target], **options)


def pool(source: str, target: str) -> NodeProto:
    return helper.make_node("MaxPool", [source], [target], kernel_shape=[2, 2], strides=[2, 2])


def larger(source: str, target: str) -> NodeProto:
    return helper.make_node("Resize", [source, "", "scales"], [target], mode="nearest")


def mean(source: str) -> NodeProto:
    return helper.make_node("GlobalAveragePool", [source], ["scores"])


def cropped(source: str, target: str, rows: int) -> NodeProto:
    return helper.make_node("Pad", [source, f"crop{rows}"], [target])


def crop(rows: int) -> np.ndarray:
    return np.array([0, 0, -rows, -rows, 0, 0, -rows, -rows], np.int64)


def network(*nodes: NodeProto, output: tuple[int | str, ...] = ("N", 3, "a", "b")) -> ModelProto:
    random = np.random.default_rng(0)
    constants = {
        "kernel": random.normal(size=(3, 3, 3, 3)).astype(np.float32),
        "scales": np.array([1, 1, 2, 2], np.float32),
        "crop2": crop(2),
        "crop6": crop(6),
    }
    return onnx_model(nodes, constants, {"photo": FREE}, {"scores": output})


SAME = {"pads": [1, 1, 1, 1]}
PADDED = (
    conv("photo", "a", **SAME),
    pool("a", "b"),
    conv("b", "c", **SAME),
    pool("c", "d"),
    conv("d", "e", **SAME),
    larger("e", "f"),
    helper.make_node("Add", ["c", "f"], ["g"]),
    larger("g", "h"),
    helper.make_node("Add", ["a", "h"], ["scores"]),
)
# The side s of the photo becomes s - 2, (s - 2) / 2, (s - 2) / 2 - 2, (s - 2) / 4 - 1, (s - 2) / 4 - 3, (s - 2) / 2 - 6, s - 14.
UNPADDED = (
    conv("photo", "a"),
    pool("a", "b"),
    conv("b", "c"),
    pool("c", "d"),
    conv("d", "e"),
    larger("e", "f"),
    cropped("c", "k", 2),
    helper.make_node("Add", ["k", "f"], ["g"]),
    larger("g", "h"),
    cropped("a", "l", 6),
    helper.make_node("Add", ["l", "h"], ["scores"]),
)


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        (PADDED, (4, 0, 4)),
        (UNPADDED, (4, 2, 18)),
        ((conv("photo", "a", strides=[2, 2]), mean("a")), (1, 0, 3)),
        ((conv("photo", "a"), pool("a", "b"), conv("b", "c"), mean("c")), (1, 0, 8)),
    ],
)
def test_multiple_remainder_and_smallest_side(nodes: tuple[NodeProto, ...], expected: tuple[int, int, int], tmp_path: Path) -> None:
    assert tried_side_rule(load(saved(network(*nodes), tmp_path / "net.onnx")), 512) == expected


def test_the_description_of_the_file_has_the_rule(tmp_path: Path) -> None:
    path = saved(network(*UNPADDED), tmp_path / "net.onnx")
    entry = forward_only_entry(path, preprocessing=Preprocessing(), longest_side=300)
    published, _ = describe_forward_only(load(path), entry)
    found = published.description.input
    assert (found.multiple, found.remainder, found.smallest, found.longest) == (4, 2, 18, 300)
    assert published.description.heads[0].shape == (None, None, 3)


def test_sides_that_the_file_fixes_are_not_tried(tmp_path: Path) -> None:
    path = saved(network(*PADDED), tmp_path / "net.onnx")
    fixed = load(path, input_size=(64, 96))
    assert tried_side_rule(fixed, 512) == (1, 0, 1)
