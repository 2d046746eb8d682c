"""`excitation_backprop` as a caller sees it."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.errors import InvalidParameters
from schemas.limits import MethodLimits
from schemas.methods.relevance.excitation_backprop import ExcitationBackprop
from tests.contract.cases import zoo_model
from tests.zoo import photo_batch
from workers.contract.inputs import Inputs
from workers.methods.relevance import excitation_backprop


def resolved(**params: object) -> ExcitationBackprop:
    return ExcitationBackprop.model_validate(params).resolve(zoo_model("functional")[1], MethodLimits())


def test_below_zero_is_nothing() -> None:
    values = np.array([[1, 2], [3, -4]], np.float32).reshape(1, 2, 1, 2)
    np.testing.assert_array_equal(excitation_backprop.probability_map(values, values), np.array([3, 0]).reshape(1, 2, 1))


def test_the_map_is_a_share_of_one_and_contrast_takes_some_away() -> None:
    probe, _ = zoo_model("functional")
    inputs = Inputs(photo_batch(probe.graph.model, 1))
    (plain,) = excitation_backprop.run(probe, inputs, [resolved(layer="conv2", contrastive=False, class_index=1)])
    (contrast,) = excitation_backprop.run(probe, inputs, [resolved(layer="conv2", class_index=1)])
    assert plain.maps.shape == contrast.maps.shape
    assert plain.maps.sum() == pytest.approx(1, rel=1e-3)
    assert (contrast.maps <= plain.maps + 1e-6).all()
    assert 0 < contrast.maps.sum() < plain.maps.sum()


def test_it_computes_in_float32_alone() -> None:
    with pytest.raises(InvalidParameters, match="in float32 alone") as raised:
        resolved(precision="bfloat16")
    assert raised.value.pointer == "/params/precision"
