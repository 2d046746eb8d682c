"""The objective of each form of request, and the names of its images."""

from __future__ import annotations

import numpy as np
import pytest

from tests.workers.methods.synthesis.played_ascent import MODEL, TF, drive, facts, resolved
from workers.contract.synthesis import Objective, Term
from workers.methods.synthesis import filters
from workers.methods.synthesis.filter_targets import ImageTarget, image_targets
from workers.methods.synthesis.filters import FilterSynthesis


@pytest.mark.parametrize(
    ("params", "objective", "names"),
    [
        ({"channels": [7, 2]}, Objective("channel", "conv", (7, 2)), ["channel_7", "channel_2"]),
        ({"neuron": [3, 4, 5]}, Objective("neuron", "conv", (5,), (3, 4)), ["neuron_3_4_5"]),
        ({"whole_layer": True}, Objective("layer", "conv"), ["layer"]),
        ({"class_index": ["zebra", 0]}, Objective("class", indices=(2, 0)), ["class_2", "class_0"]),
        ({"channels": [1], "preset": "dlwp2"}, Objective("channel", "conv", (1,), margin=2), ["channel_1"]),
    ],
)
def test_the_objective_and_the_names_follow_what_was_asked_for(params: dict, objective: Objective, names: list[str]) -> None:
    _, result, spec = drive(resolved(**params))
    assert spec.objective == objective
    assert [target.name for target in result.targets] == names


def test_classes_carry_their_labels() -> None:
    params = resolved(class_index=["zebra", 0])
    _, result, _ = drive(params)
    images = facts(filters.draw(result, None, params)).images
    assert [(image.class_index, image.label, image.channel) for image in images] == [(2, "zebra", None), (0, "goldfish", None)]


def test_a_direction_and_a_sum_are_one_image_each() -> None:
    direction = resolved(direction=[[3, 1.0], [7, -0.5]], preset="keras_io")
    spec = filters.spec(direction, TF)
    assert spec.objective == Objective("sum", "conv", margin=2, terms=(Term("channel", 3, 1.0, "conv"), Term("channel", 7, -0.5, "conv")))
    assert image_targets(direction, MODEL) == (ImageTarget("direction"),)
    parts = [{"class_index": "zebra", "weight": 2}, {"channel": 8, "layer": "conv"}, {"neuron": [4, 5, 6], "weight": -1}]
    summed = resolved(objectives=parts)
    assert filters.spec(summed, TF).objective == Objective(
        "sum", terms=(Term("class", 2, 2.0), Term("channel", 8, 1.0, "conv"), Term("neuron", 6, -1.0, "conv", (4, 5)))
    )
    assert image_targets(summed, MODEL) == (ImageTarget("sum"),)
    assert filters.spec(summed, TF).size == (128, 128)


def test_diverse_images_are_of_one_channel_and_have_names_of_their_own() -> None:
    params = resolved(channels=[4], diversity={"count": 3, "weight": 2})
    assert filters.spec(params, TF).objective == Objective("channel", "conv", (4, 4, 4), diversity=2.0)
    found = image_targets(params, MODEL)
    assert [(target.name, target.channel) for target in found] == [("channel_4_0", 4), ("channel_4_1", 4), ("channel_4_2", 4)]
    dead = FilterSynthesis(found, np.zeros((3, 20, 20, 3), np.float32), np.zeros((3, 2), np.float32), np.zeros(3, np.bool_), TF)
    assert facts(filters.draw(dead, None, params)).dead_channels == (4,)
