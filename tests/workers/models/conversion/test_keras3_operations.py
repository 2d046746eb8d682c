"""Operations in an `.h5` file of Keras 3 are read back as they were saved."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest

from tests.workers.models.model_files import IMAGES, load

layers = keras.layers


@pytest.mark.filterwarnings("ignore:.*HDF5 file via:UserWarning")
@pytest.mark.parametrize("preprocess", [keras.applications.mobilenet_v2.preprocess_input, keras.applications.vgg16.preprocess_input])
def test_preprocess_input_inside_the_model_is_read(tmp_path: Path, preprocess: object) -> None:
    assert callable(preprocess)
    photo = keras.Input(IMAGES.shape[1:])
    x = layers.Conv2D(5, 3, activation="relu")(preprocess(100 * photo))
    model = keras.Model(photo, layers.Dense(4, activation="softmax")(layers.GlobalAveragePooling2D()(x)))
    model.save(tmp_path / "inside.h5")
    np.testing.assert_array_equal(np.asarray(load(tmp_path / "inside.h5")(IMAGES)), np.asarray(model(IMAGES)))


@pytest.mark.filterwarnings("ignore:.*HDF5 file via:UserWarning")
def test_operations_that_are_called_like_layers_are_told_apart(tmp_path: Path) -> None:
    photo = keras.Input(IMAGES.shape[1:])
    x = keras.ops.stack([photo, 1 - photo], axis=1)[:, 0, 1:, ::2]
    x = layers.Add()([x + 2, keras.ops.relu(x) * x])
    x = layers.Reshape((-1, 3))(keras.ops.softmax(x, axis=-1))
    model = keras.Model(photo, keras.ops.mean(x, axis=1))
    model.save(tmp_path / "operations.h5")
    np.testing.assert_array_equal(np.asarray(load(tmp_path / "operations.h5")(IMAGES)), np.asarray(model(IMAGES)))
