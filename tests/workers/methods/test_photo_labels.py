from __future__ import annotations

import pytest

from schemas.methods.inspection.predict_batch import PredictBatch
from workers.methods.photo_labels import label_with_value, photo_label

IDS = tuple(f"img_{number:064x}" for number in range(2))


def named(name: str) -> PredictBatch:
    return PredictBatch(images=IDS, names={IDS[1]: name})


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("cat.jpg", "cat.jpg"),
        ("a" * 20 + ".jpg", "a" * 20 + ".jpg"),
        ("holiday_in_the_mountains_0042.jpg", "holiday_in_…ins_0042.jpg"),
        ("", "photo 1"),
    ],
)
def test_a_photo_is_called_by_its_name_and_a_long_name_keeps_both_ends(name: str, label: str) -> None:
    assert photo_label(named(name), 1) == label
    assert len(label) <= 24


def test_a_photo_without_a_name_and_a_bare_picture_have_numbers() -> None:
    params = named("cat.jpg")
    assert photo_label(params, 0) == "photo 0"
    assert photo_label(params, 1, by_name=False) == "photo 1"
    assert photo_label(PredictBatch(images=IDS), 1) == "photo 1"


def test_a_value_stands_below_a_name_and_beside_a_number() -> None:
    params = named("cat.jpg")
    assert label_with_value(params, 1, "0.97") == "cat.jpg\n0.97"
    assert label_with_value(params, 0, "0.97") == "photo 0 · 0.97"
    assert label_with_value(params, 1, "0.97", by_name=False) == "photo 1 · 0.97"
