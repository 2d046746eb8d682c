from __future__ import annotations

import numpy as np
import pytest

from schemas.methods.perturbation.occlusion import Occlusion
from schemas.models import Layer, LayerKind, ReceptiveField
from tests.workers.methods.linear import LinearProbe
from tests.workers.methods.support import published
from workers.contract.probe import Forward
from workers.methods.perturbation import masked_scores

LOGITS = np.array([[2.0], [-1.0]], np.float32)
PROBABILITIES = np.array([[0.9], [0.25]], np.float32)


class BinaryProbe(LinearProbe):
    """Two photos' answers of one sigmoid output, whatever it is shown. `asked`: how it was, each time."""

    def __init__(self, linear: np.ndarray) -> None:
        super().__init__(linear)
        self.asked: list[dict[str, object]] = []

    def forward(self, *args: object, **named: object) -> Forward:
        self.asked.append(named)
        return Forward({}, LOGITS, PROBABILITIES)


@pytest.mark.parametrize(
    ("score", "sign", "expected"),
    [("logit", 1, [2, -1]), ("logit", -1, [-2, 1]), ("probability", 1, [0.9, 0.25]), ("probability", -1, [0.1, 0.75])],
)
def test_the_score_of_either_answer(score: str, sign: int, expected: list[float]) -> None:
    probe = BinaryProbe(np.zeros((1, 2, 3, 1)))
    watched = masked_scores.watch(probe, np.zeros((1, 2, 3, 1), np.float32), Occlusion.model_validate({"score": score, "sign": sign}))
    np.testing.assert_allclose(watched.whole, expected[:1], rtol=1e-6)
    np.testing.assert_allclose(watched.scores(probe, np.zeros((2, 2, 3, 1), np.float32))[:, 0], expected, rtol=1e-6)


def test_every_pass_is_of_the_output_and_precision_asked_for() -> None:
    probe, images = BinaryProbe(np.zeros((1, 2, 3, 1))), np.zeros((2, 2, 3, 1), np.float32)
    params = Occlusion(class_index=0, precision="bfloat16", output="predictions")
    masked_scores.watch(probe, images[:1], params).scores(probe, images)
    assert probe.asked == [{"scores": True, "output": "predictions", "precision": "bfloat16"}] * 2


def test_scores_that_differ_by_rounding_are_silent() -> None:
    probe = LinearProbe(np.ones((2, 1, 1, 1)) * np.array([1000.0, 1.0]).reshape(2, 1, 1, 1))
    logit = masked_scores.watch(probe, np.ones((1, 1, 1, 1), np.float32), Occlusion(class_index=(0, 1)))
    # next to a logit of 1000 a difference of 0.009 is rounding, one of 0.02 is not
    assert logit.silent(np.array([[1000, 1.0], [1000.009, 1.02]])).tolist() == [True, False]
    probability = masked_scores.watch(probe, np.ones((1, 1, 1, 1), np.float32), Occlusion(class_index=(0, 1), score="probability"))
    assert probability.silent(np.array([[0.5, 1e-8], [0.500001, 2e-8]])).tolist() == [True, False]
    assert probability.silent(np.zeros((3, 2))).all()


def layer(shape: tuple[int | None, ...], parameters: int, stride: int = 1) -> Layer:
    return Layer(
        path=f"layer_{parameters}",
        type="Conv2D",
        kind=LayerKind.CONV,
        output_shape=shape,
        parameters=parameters,
        channels=shape[-1],
        receptive_field=ReceptiveField(size=(3, 3), stride=(stride, stride)),
        inbound=(),
        cam_able=True,
    )


@pytest.mark.parametrize(
    ("layers", "rows"),
    [
        # 224²·300,000 = 15.05e9 products are 84 ms (VGG16), 2·224²·64 values are 2.1 ms: one at a time
        ([layer((224, 224, 64), 200_000), layer((224, 224, 64), 100_000)], 1),
        # 56²·30,000 = 94e6 products are 0.52 ms, 56²·64 values 0.07 ms: more would go than 64
        ([layer((56, 56, 64), 30_000)], 64),
        # 112²·60,000 products are 4.181 ms, 112²·32 values 0.134; a dense layer's weights are used once, 0.006: 150 / 4.321 = 34.7
        ([layer((112, 112, 32), 60_000), layer((1000,), 1_000_000)], 34),
        # a model inside the model is counted by its own layers
        ([layer((112, 112, 32), 10**9).model_copy(update={"kind": LayerKind.MODEL}), layer((224, 224, 64), 300_000)], 1),
        ([layer((112, 112, 32), 10**9).model_copy(update={"kind": LayerKind.MODEL}), layer((56, 56, 64), 30_000)], 64),
        # a side that is open is 224 divided by the layer's stride
        ([layer((None, 112, 32), 60_000, stride=2), layer((1000,), 1_000_000)], 34),
    ],
)
def test_rows_follow_from_the_model(layers: list[Layer], rows: int) -> None:
    model = published().description.model_copy(update={"layers": tuple(layers)})
    assert masked_scores.rows_of_call(model, (224, 224)) == rows


def test_parts_cover_everything_once() -> None:
    model = published().description
    assert list(masked_scores.parts(model, (4, 6), 130)) == [slice(0, 64), slice(64, 128), slice(128, 130)]
