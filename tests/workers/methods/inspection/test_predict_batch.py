from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from rendering.text import line
from schemas.errors import InternalError, InvalidParameters, LimitExceeded, NonFinite
from schemas.limits import MethodLimits
from schemas.methods.inspection.predict_batch import PredictBatch, PredictBatchFacts
from tests.contract.cases import examined_model
from tests.words_drawn import words_drawn
from tests.workers.methods.support import LABELS, FormulaProbe, batch, photo_of, published, softmax
from tests.zoo import ZOO
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs, Prepared
from workers.contract.probe import Forward, Probe
from workers.contract.progress import Slice
from workers.methods.inspection import predict_batch
from workers.methods.inspection.predict_batch import BatchScores

NO_TENSOR = np.zeros((0, 1, 1, 3), np.float32)


def ids(count: int) -> tuple[str, ...]:
    return tuple(f"img_{number:064x}" for number in range(count))


def run(probe: Probe, tensors: list[np.ndarray], params: PredictBatch | None = None) -> BatchScores:
    several = tuple(Prepared(photo_of(seed=number), tensor) for number, tensor in enumerate(tensors))
    slices = predict_batch.run(probe, Inputs(NO_TENSOR, None, several), params or PredictBatch(images=ids(len(tensors))))
    steps: list[Slice] = []
    while True:
        try:
            steps.append(next(slices))
        except StopIteration as stop:
            assert steps[-1] == Slice(len(tensors), len(tensors))
            return stop.value


def drawn(logits: list[list[float]], top: int = 2, labels: tuple[str, ...] = LABELS, **changes: Any) -> Output:
    values = np.array(logits, np.float32)
    result = BatchScores(tuple(photo_of(seed=number) for number in range(len(values))), values, softmax(values), published(labels))
    return predict_batch.draw(result, None, PredictBatch(images=ids(len(values)), top=top, **changes))


def facts(output: Output) -> PredictBatchFacts:
    assert isinstance(output.facts, PredictBatchFacts)
    return output.facts


def test_every_photo_has_its_own_scores_whatever_their_sizes() -> None:
    tensors = [*batch(5), batch(1, 3)[0].transpose(1, 0, 2), *batch(2, 4)]
    result = run(FormulaProbe(), tensors)
    expected = np.stack([(tensor**2).sum(axis=(0, 1)) @ FormulaProbe.WEIGHTS.T for tensor in tensors])
    np.testing.assert_allclose(result.logits, expected, rtol=1e-5)
    np.testing.assert_allclose(result.probabilities, softmax(expected), rtol=1e-4, atol=1e-7)


def test_facts_by_hand() -> None:
    found = facts(drawn([[0, np.log(3), np.log(6)], [2, 1, 0], [np.log(2), 0, np.log(7)], [0, 5, 5]]))
    assert [(one.image, one.number) for one in found.images] == list(zip(ids(4), range(4), strict=True))
    assert [[scored.class_index for scored in one.predictions] for one in found.images] == [[2, 1], [0, 1], [2, 0], [1, 2]]
    first, second = found.images[2].predictions
    assert (first.label, first.probability, second.label) == ("great white shark", pytest.approx(0.7), "tench")
    assert second.logit == pytest.approx(np.log(2))
    assert [(each.class_index, each.label, each.images) for each in found.top_classes] == [
        (2, "great white shark", 2),
        (0, "tench", 1),
        (1, "goldfish", 1),
    ]


def test_arrays_hold_all_photos_and_classes_and_the_sheet_is_primary() -> None:
    logits = [[0.0, 1.0, 2.0], [3.0, 1.0, 2.0]]
    sheet, first, second = drawn(logits, top=1).artifacts
    assert isinstance(sheet, Picture)
    assert sheet.primary
    assert isinstance(first, Array)
    assert isinstance(second, Array)
    np.testing.assert_array_equal(first.array, logits)
    np.testing.assert_array_equal(second.array, softmax(np.array(logits, np.float32)))


def test_each_tile_shows_its_photo() -> None:
    """The photos are 120 × 80 at (12, 62) in tiles of 426 × 187, two in a row."""
    output = drawn([[0.0, 1.0, 2.0]] * 3, annotate=False)
    sheet = output.artifacts[0]
    assert isinstance(sheet, Picture)
    for number in range(3):
        top, left = 62 + number // 2 * (sheet.image.shape[0] - 32) // 2, 12 + number % 2 * 426
        small = sheet.image[top : top + 80, left : left + 120].reshape(8, 10, 12, 10, 3)[:, 5, :, 5].astype(int)
        image = photo_of(seed=number).image.astype(int)
        assert np.abs(small - image).mean() < 30, number
        assert np.abs(small - image[::-1]).mean() > 60


def test_a_line_with_the_method_and_the_model_stands_above_the_annotated_sheet() -> None:
    full, bare = (drawn([[0.0, 1.0, 2.0]] * 3, annotate=annotate).artifacts[0] for annotate in (True, False))
    assert isinstance(full, Picture)
    assert isinstance(bare, Picture)
    title = line(f"Predictions of a batch · {published().description.name}", full.image.shape[1], 14)
    np.testing.assert_array_equal(full.image, np.concatenate([title, bare.image]))


def test_very_many_photos_and_classes_are_not_all_drawn() -> None:
    logits = np.random.default_rng(0).normal(size=(300, 40)).tolist()
    output = drawn(logits, top=40, labels=())
    assert output.warnings == ("The sheet shows the first 256 of 300 images.",)
    assert (len(facts(output).images), len(facts(output).images[299].predictions)) == (300, 40)
    assert isinstance(output.artifacts[0], Picture)
    assert np.prod(output.artifacts[0].image.shape[:2]) < 40_000_000


def test_scores_that_are_not_finite_name_the_image() -> None:
    with pytest.raises(NonFinite, match=r"^Image 1: 1 of the model's 3 logits are not finite\."):
        drawn([[0, 1, 2], [0, np.nan, 1], [np.nan, 0, 1]])


def test_a_model_without_a_class_output(monkeypatch: pytest.MonkeyPatch) -> None:
    model = examined_model("no_classes", ZOO["no_classes"]())[1]
    with pytest.raises(InvalidParameters, match="'no_classes' has no class output"):
        PredictBatch(images=ids(2)).resolve(model, MethodLimits())
    monkeypatch.setattr(FormulaProbe, "forward", lambda *_, **__: Forward({}, None, None))
    with pytest.raises(InternalError, match="'formula' has no class output"):
        run(FormulaProbe(), list(batch(1)))


def test_how_many_is_bounded_by_the_model_and_by_the_limits() -> None:
    model = published()
    assert PredictBatch(images=ids(3), top=50).resolve(model, MethodLimits()).top == 3
    with pytest.raises(LimitExceeded, match="at most 2 images, got 3"):
        PredictBatch(images=ids(3)).resolve(model, MethodLimits(max_images=2))


def test_a_named_output_and_a_sigmoid() -> None:
    """The second of two outputs has one unit, whose logit is 3 for a photo of ones, 0 for a photo of zeros."""
    photo = keras.Input((3, 2, 1), name="photo")
    mean = layers.GlobalAveragePooling2D(name="mean")(photo)
    one = layers.Dense(4, activation="softmax", name="classes")(mean)
    two = layers.Dense(1, activation="sigmoid", use_bias=False, kernel_initializer=keras.initializers.Constant(3), name="cat")(mean)
    probe, model = examined_model("two", keras.Model(photo, [one, two]))
    params = PredictBatch(images=ids(2), output="cat").resolve(model, MethodLimits())
    result = run(probe, [np.full((3, 2, 1), value, np.float32) for value in (1, 0)], params)
    found = facts(predict_batch.draw(result, None, params))
    assert [[(p.class_index, p.logit, p.probability) for p in one.predictions] for one in found.images] == [
        [(1, pytest.approx(3), pytest.approx(1 / (1 + np.exp(-3)))), (0, pytest.approx(-3), pytest.approx(1 / (1 + np.exp(3))))],
        [(0, 0, 0.5), (1, 0, 0.5)],
    ]


@pytest.mark.parametrize("annotate", [True, False])
def test_a_photo_has_its_number_and_its_name(annotate: bool) -> None:
    with words_drawn() as words:
        drawn([[0.0, 1.0, 2.0]] * 2, names={ids(2)[1]: "cat.jpg"}, annotate=annotate)
    assert [word for word in words if word.startswith("#")] == ["#0", "#1 · cat.jpg" if annotate else "#1"]
