"""Class activation maps of models that have no classes: numbers worked by hand."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from tests.workers.methods.test_explained_target import SIZE, X, explain, probe_of, segmentation

layers = keras.layers


def test_a_single_regression_value_is_explained_where_nothing_is_given() -> None:
    """The layers alone say that the output is a regression value: it is one number without a sigmoid."""
    photo = keras.Input((*SIZE, 1), name="photo")
    mean = layers.GlobalAveragePooling2D(name="mean")(layers.Conv2D(1, 1, name="same", kernel_initializer="ones")(photo))
    probe = probe_of(keras.Model(photo, layers.Dense(1, name="age", kernel_initializer=keras.initializers.Constant(30))(mean)))
    assert (probe.description.head, probe.description.heads[0].kind, probe.description.classes) == ("regression", "regression", None)
    result, output = explain("grad_cam", probe, X)
    facts: Any = output.facts
    assert (facts.target, facts.class_index, facts.probability) == ("element [0]", None, None)
    assert facts.value == pytest.approx(30 * X.mean(), rel=1e-5)
    np.testing.assert_allclose(result.maps[0], np.maximum(2 * X[0, ..., 0], 0), rtol=1e-5)


def test_eigen_cam_of_a_model_without_classes() -> None:
    """The layer has the one channel 2x, so its first principal component is x without its mean, up to a factor."""
    probe = probe_of(segmentation())
    result, output = explain("eigen_cam", probe, X, layer="feature")
    facts: Any = output.facts
    assert (facts.layers, facts.class_index, facts.label, facts.logit, facts.probability) == (("feature",), None, None, None, None)
    assert (facts.classes, facts.head, facts.target, facts.value) == ((), None, None, None)
    assert abs(np.corrcoef(result.maps[0].ravel(), X.ravel())[0, 1]) == pytest.approx(1, abs=1e-5)
    assert np.ptp(result.maps[0]) > 0
    assert not any("class" in warning for warning in output.warnings)
