"""The way out that is offered for a SavedModel folder of Keras 2 leads to a model that computes the same."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import tf_keras

from catalog.catalog import load_catalog
from workers.models.limits import ModelLimits
from workers.models.loading import load_model


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5 file:UserWarning")
def test_a_saved_model_of_keras_2_is_converted_as_its_message_says(tmp_path: Path) -> None:
    layers = tf_keras.layers
    photo = tf_keras.Input((13, 9, 3))
    features = layers.Conv2D(4, 3, activation="relu", name="conv")(tf_keras.applications.mobilenet_v2.preprocess_input(photo))
    model = tf_keras.Model(photo, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(features)))
    folder = tmp_path / "flowers"
    model.save(folder, save_format="tf")

    reason = load_catalog(tmp_path / "models.toml", tmp_path).unusable["flowers"].reason
    (recipe,) = re.findall(r"`(tf_keras\.models\.load_model\(.*?\)\.save\(.*?\))`", reason)
    exec(recipe.replace("'flowers", f"'{tmp_path}/flowers"), {"tf_keras": tf_keras})  # noqa: S102 - it is what a user types

    entry = load_catalog(tmp_path / "models.toml", tmp_path)["flowers"]
    x = np.random.default_rng(1).uniform(0, 255, (2, 13, 9, 3)).astype(np.float32)
    np.testing.assert_allclose(load_model(entry, ModelLimits())(x), model(x), atol=1e-6)
