"""The class scores that perturbation methods watch."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.methods.perturbation.occlusion import Occlusion
from tests.workers.methods.linear import LinearProbe
from workers.contract.probe import Forward
from workers.methods.perturbation.watched_scores import watch

LOGITS = np.array([[-2.0, 2.0], [1.0, -1.0]], np.float32)

PROBABILITIES = np.array([[0.1, 0.9], [0.75, 0.25]], np.float32)


class BinaryProbe(LinearProbe):
    """A model with one sigmoid output that gives the same two answers for any input. `asked` keeps the arguments of each call."""

    def __init__(self, linear: np.ndarray) -> None:
        super().__init__(linear)
        self.asked: list[dict[str, object]] = []

    def forward(self, *args: object, **named: object) -> Forward:
        self.asked.append(named)
        return Forward({}, LOGITS, PROBABILITIES)


@pytest.mark.parametrize(
    ("score", "answer", "expected"),
    [("logit", 1, [2, -1]), ("logit", 0, [-2, 1]), ("probability", 1, [0.9, 0.25]), ("probability", 0, [0.1, 0.75])],
)
def test_the_score_of_either_answer(score: str, answer: int, expected: list[float]) -> None:
    probe = BinaryProbe(np.zeros((1, 2, 3, 1)))
    watched = watch(probe, np.zeros((1, 2, 3, 1), np.float32), Occlusion.model_validate({"score": score, "class_index": answer}))
    np.testing.assert_allclose(watched.whole, expected[:1], rtol=1e-6)
    np.testing.assert_allclose(watched.scores(probe, np.zeros((2, 2, 3, 1), np.float32))[:, 0], expected, rtol=1e-6)


def test_every_pass_uses_the_output_and_the_precision_asked_for() -> None:
    probe, images = BinaryProbe(np.zeros((1, 2, 3, 1))), np.zeros((2, 2, 3, 1), np.float32)
    params = Occlusion(class_index=0, precision="bfloat16", output="predictions")
    watch(probe, images[:1], params).scores(probe, images)
    assert probe.asked == [{"scores": True, "output": "predictions", "precision": "bfloat16"}] * 2


def test_scores_that_differ_only_by_rounding_count_as_unchanged() -> None:
    probe = LinearProbe(np.ones((2, 1, 1, 1)) * np.array([1000.0, 1.0]).reshape(2, 1, 1, 1))
    logit = watch(probe, np.ones((1, 1, 1, 1), np.float32), Occlusion(class_index=(0, 1)))
    # beside a logit of 1000, a difference of 0.009 is rounding and one of 0.02 is not
    assert logit.unchanged(np.array([[1000, 1.0], [1000.009, 1.02]])).tolist() == [True, False]
    probability = watch(probe, np.ones((1, 1, 1, 1), np.float32), Occlusion(class_index=(0, 1), score="probability"))
    assert probability.unchanged(np.array([[0.5, 1e-8], [0.500001, 2e-8]])).tolist() == [True, False]
    assert probability.unchanged(np.zeros((3, 2))).all()
