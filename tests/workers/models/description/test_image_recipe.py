"""A model that takes no images is refused with lines of Python that give it an input for images, and these lines work."""

from __future__ import annotations

import re
from pathlib import Path

import keras
import numpy as np
import pytest

from schemas.errors import ModelLoadFailed
from tests.workers.models.entries import file_entry
from workers.models.description.describe import describe
from workers.models.description.image_recipe import image_recipe
from workers.models.loading import load_model


def model_of(shape: tuple[int | None, ...]) -> keras.Model:
    given = keras.Input(shape)
    x = keras.ops.mean(given, axis=-1, keepdims=True) if None in shape else given
    return keras.Model(given, keras.layers.Dense(2)(keras.layers.Flatten()(x)))


@pytest.mark.parametrize(
    ("shape", "image"),
    [
        ((4, 7, 5, 3), (28, 5, 3)),
        ((7, 5), (7, 5, 1)),
        ((49,), (7, 7, 1)),
        ((192,), (8, 8, 3)),
        ((7, 5, None), (7, 5, 3)),
    ],
)
def test_the_recipe_in_the_error_works(
    shape: tuple[int | None, ...], image: tuple[int, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = model_of(shape)
    model.save(tmp_path / "none.keras")
    entry = file_entry(tmp_path / "none.keras")
    with pytest.raises(ModelLoadFailed, match="takes an input of shape") as refused:
        describe(load_model(entry), entry)
    found = re.search(r"save it again: `(.*)`\.$", refused.value.detail)
    assert found is not None
    monkeypatch.chdir(tmp_path)
    exec(found.group(1), {"keras": keras, "model": model})  # noqa: S102 - it is our own text
    entry = file_entry(tmp_path / "with_photo.keras")
    changed = load_model(entry)
    given = describe(changed, entry).description.input
    assert (given.height, given.width, given.channels) == image
    photo = np.random.default_rng(0).random((1, *image)).astype(np.float32)
    plain = model(photo if None in shape else photo.reshape(1, *shape))
    np.testing.assert_allclose(changed(photo), plain, rtol=1e-5)


@pytest.mark.parametrize("shape", [(None, 5), (None, None, None), (7,), (2, 2, 2, 2, 2), ()])
def test_no_recipe_is_given_where_none_is_known(shape: tuple[int | None, ...]) -> None:
    assert image_recipe(shape) == ""
