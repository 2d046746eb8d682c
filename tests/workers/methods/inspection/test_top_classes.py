from __future__ import annotations

import numpy as np
import pytest

from rendering.charts.class_bars import ClassBar
from schemas.methods.facts import Prediction
from workers.methods.inspection.top_classes import bars, top_classes


def test_top_classes_are_ordered_and_ties_go_to_the_lower_index() -> None:
    assert top_classes(np.array([1, 3, 2, 3, -5], np.float32), 4).tolist() == [1, 3, 2, 0]


@pytest.mark.parametrize(
    ("probability", "words"), [(1.0, "100.0%"), (0.0449, "4.5%"), (0.001, "0.1%"), (0.0009, "< 0.1%"), (0.0, "< 0.1%")]
)
def test_a_bar_says_its_probability(probability: float, words: str) -> None:
    shown = bars([Prediction(class_index=7, label=label, logit=1.0, probability=probability) for label in ("cock", None)])
    assert shown == [ClassBar("cock", words, probability), ClassBar("class 7", words, probability)]
