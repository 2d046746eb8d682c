"""Gradient methods of the fast lane on a model that is a formula: saliency, gradient × input, guided backpropagation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schemas.errors import LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.methods.gradients.guided_backprop import GuidedBackprop
from schemas.methods.gradients.integrated_gradients import IntegratedGradients
from schemas.methods.gradients.saliency import Saliency
from schemas.methods.gradients.smooth_grad import SmoothGrad
from tests.workers.methods.gradients.support import Recorded, W, resolved
from tests.workers.methods.support import FormulaProbe, batch, photo_of, published, softmax
from workers.contract.inputs import Inputs
from workers.methods.gradients import grad_x_input, guided_backprop, saliency


def test_saliency_is_the_largest_absolute_gradient_of_the_channels() -> None:
    x = batch(3)
    found = saliency.run(FormulaProbe(), Inputs(x), [resolved("saliency", class_index=c) for c in (0, 2, None)])
    tops = (x**2).sum((1, 2)) @ W.T
    for row, c in enumerate((0, 2, int(tops[2].argmax()))):
        np.testing.assert_allclose(found[row].values, [2 * W[c] * x[row]], rtol=1e-6)
        np.testing.assert_allclose(found[row].maps, [np.abs(2 * W[c] * x[row]).max(-1)], rtol=1e-6)
        (scored,) = found[row].classes
        assert scored.class_index == c
        assert scored.logit == pytest.approx(float(tops[row, c]), rel=1e-5)
        assert scored.probability == pytest.approx(float(softmax(tops[row])[c]), rel=1e-4)


def test_gradient_times_input_keeps_its_sign_and_sums_to_twice_a_quadratic_logit() -> None:
    x = batch(2)
    first, second = grad_x_input.run(FormulaProbe(), Inputs(x), [resolved("grad_x_input", class_index=c) for c in (2, 0)])
    for found, image, c in ((first, x[0], 2), (second, x[1], 0)):
        np.testing.assert_allclose(found.maps[0], (2 * W[c] * image**2).sum(-1), rtol=1e-5, atol=1e-6)
        assert found.maps.sum() == pytest.approx(2 * found.classes[0].logit, rel=1e-5)
    assert second.maps.min() < 0 < second.maps.max()


def test_each_class_is_a_row_and_a_pass_has_eight_rows() -> None:
    x, probe = batch(2), Recorded()
    jobs = [resolved("saliency", class_index=(0, 1, 2, 1, 0)), resolved("saliency", class_index=[2, 0, 1, 2, 0, 1])]
    first, second = saliency.run(probe, Inputs(x), jobs)
    assert probe.rows == [8, 3]
    assert first.values.shape == (5, 4, 6, 3)
    np.testing.assert_allclose(first.values, [2 * W[c] * x[0] for c in (0, 1, 2, 1, 0)], rtol=1e-6)
    np.testing.assert_allclose(second.values, [2 * W[c] * x[1] for c in (2, 0, 1, 2, 0, 1)], rtol=1e-6)
    assert [scored.label for scored in first.classes[:3]] == ["tench", "goldfish", "great white shark"]
    assert first.listed


def test_the_probe_gets_score_rule_output_and_precision() -> None:
    probe = Recorded()
    saliency.run(probe, Inputs(batch(1)), [resolved("saliency", score="probability", precision="bfloat16", output="predictions")])
    guided_backprop.run(probe, Inputs(batch(1)), [resolved("guided_backprop")])
    common = {"precision": "float32", "output": None}
    assert probe.asked == [
        {**common, "score": "probability", "relu_rule": "gradient", "precision": "bfloat16", "output": "predictions"},
        {**common, "score": "logit", "relu_rule": "guided"},
    ]


def test_parameters_that_change_the_computation_change_the_batch_key() -> None:
    def key(**params: Any) -> Any:
        return saliency.batch_key(Saliency(**params))

    assert key(class_index=1, clip=90, colormap="gray", alpha=0.1) == key(class_index=(2, 0))
    keys = [key(), key(score="probability"), key(precision="bfloat16"), key(output="other")]
    assert len(set(keys)) == len(keys)


def test_guided_backpropagation_warns_if_the_model_has_no_relu() -> None:
    params = resolved("guided_backprop")
    for relus, said in ((0, True), (4, False)):
        (found,) = guided_backprop.run(Recorded(relus=relus), Inputs(batch(1)), [params])
        output = guided_backprop.draw(found, photo_of(), params)
        assert (guided_backprop.NO_RELU in output.warnings) is said
    assert isinstance(params, GuidedBackprop)


def test_the_number_of_gradients_of_a_job_is_limited() -> None:
    for method, name in (("smooth_grad", "samples"), ("integrated_gradients", "steps")):
        with pytest.raises(LimitExceeded, match=r"at most 8,192 gradients, got 900 for each of 10 classes") as raised:
            METHODS[method].model_validate({name: 900, "class_index": [0, 1] * 5}).resolve(published(), MethodLimits())
        assert raised.value.pointer == f"/params/{name}"
    with pytest.raises(ValueError, match="give at least 2"):
        IntegratedGradients(steps=1, rule="trapezoid")
    assert SmoothGrad(samples=1000).samples == 1000
