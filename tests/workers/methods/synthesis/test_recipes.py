"""The units of the presets, for models whose input has the scale of the source and for others."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

from schemas.models import Preprocessing
from tests.workers.methods.synthesis.preset_runs import (
    CAFFE,
    TF,
    TORCH,
    assert_same_picture,
    pictures,
    probe_of,
    resolved,
    result_of,
)
from workers.methods.synthesis.recipes import RECIPES, StandardisedPicture, units

# Models of another scale.


def test_units_are_the_sources_own_where_the_scale_is() -> None:
    for preset, own in (("dlwp1", CAFFE), ("keras_blog", CAFFE), ("dlwp1", Preprocessing()), ("dlwp2", TF), ("keras_io", TF)):
        assert units(RECIPES[preset], own) == ((1.0,), (0.0,))


def test_elsewhere_a_number_of_the_source_is_the_same_colour() -> None:
    """The numbers 127.5 of 0-255 (dlwp1), 0 of −1 to 1 (keras_io) and 0.5 of 0-1 (lucid) are mid-grey to every model."""
    for preset, number in (("dlwp1", 127.5), ("keras_io", 0.0), ("lucid", 0.5)):
        for preprocessing in (TORCH, CAFFE if preset != "dlwp1" else TF, Preprocessing(mode="custom", mean=(0.0,), std=(255.0,))):
            scale, offset = units(RECIPES[preset], preprocessing)
            seen = np.array(scale) * number + np.array(offset)
            np.testing.assert_allclose(seen * np.array(preprocessing.std) + np.array(preprocessing.mean), 127.5)


def test_a_model_of_another_scale_sees_the_same_pictures(model: keras.Model) -> None:
    """A rescaling before the tiny model makes it take 0-1 instead of −1 to 1. The ascent and the pictures stay the same."""
    photo = keras.Input((None, None, 3), name="photo")
    scaled = keras.Model(photo, model(layers.Rescaling(2.0, -1.0, name="rescale")(photo)))
    inner = scaled.layers[-1].name
    plain = result_of(probe_of(model, TF), resolved(probe_of(model, TF), preset="keras_io", channels=3, steps=5))[1]
    unit = Preprocessing(mode="custom", mean=(0.0,), std=(255.0,))
    probe = probe_of(scaled, unit)
    params = resolved(probe, preset="keras_io", channels=3, steps=5).changed(layer=f"{inner}/conv2")
    other = result_of(probe, params)[1]
    for name in ("channel_0", "channel_2"):
        assert_same_picture(pictures(other)[name], pictures(plain)[name])


def test_a_standardised_picture_by_hand() -> None:
    image = np.float32([[[0, 0, 0], [0, 0, 0]], [[0, 0, 0], [4, 4, 4]]])  # mean 1, σ √3
    drawn = StandardisedPicture(contrast=10, epsilon=0, level=100)(image)
    assert drawn[0, 0, 0] == 94  # 100 − 10/√3 = 94.2
    assert drawn[1, 1, 0] == 117  # 100 + 30/√3 = 117.3
