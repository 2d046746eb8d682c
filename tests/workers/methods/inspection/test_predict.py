from __future__ import annotations

import numpy as np
import pytest

from rendering.text import line
from schemas.errors import InternalError, NonFinite
from schemas.methods.inspection.predict import Predict, PredictFacts
from tests.workers.methods.support import FormulaProbe, batch, photo_of, published, softmax
from workers.contract.artifacts import Array, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import Forward
from workers.methods.inspection import predict
from workers.methods.inspection.predict import PhotoScores


def scores(logits: list[float], labels: tuple[str, ...] = ("tench", "goldfish", "great white shark")) -> PhotoScores:
    values = np.array(logits, np.float32)
    return PhotoScores(values, softmax(values), published(labels))


def test_facts_by_hand() -> None:
    output = predict.draw(scores([0.0, np.log(3), np.log(6)]), photo_of(), Predict(top=2))
    assert isinstance(output.facts, PredictFacts)
    first, second = output.facts.predictions
    assert (first.class_index, first.label, second.class_index, second.label) == (2, "great white shark", 1, "goldfish")
    assert first.probability == pytest.approx(0.6)
    assert second.probability == pytest.approx(0.3)
    assert second.logit == pytest.approx(np.log(3))


def test_arrays_hold_all_classes_and_the_chart_is_primary() -> None:
    result = scores([0.0, 1.0, 2.0])
    chart, logits, probabilities = predict.draw(result, photo_of(), Predict(top=1)).artifacts
    assert isinstance(chart, Picture)
    assert chart.primary
    assert isinstance(logits, Array)
    assert isinstance(probabilities, Array)
    np.testing.assert_array_equal(logits.array, result.logits)
    np.testing.assert_array_equal(probabilities.array, result.probabilities)


def test_a_line_with_the_method_and_the_model_stands_above_the_annotated_chart() -> None:
    result = scores([0.0, 1.0, 2.0])
    full, bare = (predict.draw(result, photo_of(), Predict(annotate=annotate)).artifacts[0] for annotate in (True, False))
    assert isinstance(full, Picture)
    assert isinstance(bare, Picture)
    title = line(f"Prediction · {result.published.description.name}", full.image.shape[1], 16)
    np.testing.assert_array_equal(full.image, np.concatenate([title, bare.image]))


def test_a_batch_gives_each_photo_its_own_scores() -> None:
    probe, tensor = FormulaProbe(), batch(3)
    together = predict.run(probe, Inputs(tensor), [Predict()] * 3)
    assert probe.calls == [3]
    for row, result in enumerate(together):
        np.testing.assert_allclose(result.logits, ((tensor[row] ** 2).sum(axis=(0, 1)) @ probe.WEIGHTS.T), rtol=1e-5)
        (alone,) = predict.run(probe, Inputs(tensor[row : row + 1]), [Predict()])
        np.testing.assert_array_equal(alone.logits, result.logits)


def test_how_many_are_named_does_not_split_batches() -> None:
    assert predict.batch_key(Predict(top=1)) == predict.batch_key(Predict(top=50))


def test_a_model_without_labels_names_indices() -> None:
    output = predict.draw(scores([0.0, 1.0, 2.0], labels=()), photo_of(), Predict(top=3))
    assert isinstance(output.facts, PredictFacts)
    assert [scored.label for scored in output.facts.predictions] == [None] * 3


def test_scores_that_are_not_finite() -> None:
    with pytest.raises(NonFinite, match="1 of the model's 3 logits"):
        predict.draw(scores([0.0, np.nan, 1.0]), photo_of(), Predict(top=2))


def test_a_model_without_a_class_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FormulaProbe, "forward", lambda *_, **__: Forward({}, None, None))
    with pytest.raises(InternalError, match="'formula' has no class output"):
        predict.run(FormulaProbe(), Inputs(batch(1)), [Predict()])
