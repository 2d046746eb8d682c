"""Every layer of Keras, and every way to put layers together: what plain Keras loads works here and gives the same numbers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from catalog.catalog import load_catalog
from rendering.photo import Photo
from schemas.errors import NoGradient
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from tests import zoo
from tests.contract.layer_zoo import AFTER_CONV, NOT_IN_IMAGE_MODELS, ON_PHOTOS, with_layer
from tests.contract.structure_zoo import STRUCTURES
from tests.drawn import drawn
from workers.contract.artifacts import Array, Output
from workers.contract.inputs import Inputs
from workers.methods import implementation
from workers.models.pool import LoadedModel, ModelPool

PHOTO = np.random.default_rng(3).integers(0, 256, (13, 9, 3), np.uint8)
# These are tried with the quick tests. Each other model is a slow test.
QUICK = ("Conv2DTranspose", "Bidirectional", "GroupedQueryAttention", "outputs_by_name", "operations", "mixed_float16")
# No gradient passes through these to the photo, and the error of gradient methods says so.
WITHOUT_GRADIENT = ("ContrastLimitedAdaptiveHistogramEqualization",)
BUILDERS: dict[str, Callable[[], keras.Model]] = {
    **{name: (lambda name=name: with_layer(name)) for name in (*AFTER_CONV, *ON_PHOTOS)},
    **STRUCTURES,
}


def run(model: LoadedModel, method: str, **given: Any) -> Output:
    params = METHODS[method].model_validate(given).resolve(model.published, MethodLimits())
    tensor, placement = model.prepare(PHOTO)
    how, photo = implementation(method), Photo(PHOTO, placement)
    (result,) = how.run(model.probe, Inputs(tensor[None], photos=(photo,)), [params])
    return drawn(how.draw(result, photo, params), photo)


def array(output: Output, name: str) -> np.ndarray:
    (found,) = (artifact.array for artifact in output.artifacts if isinstance(artifact, Array) and artifact.name == name)
    return found


def plain_probabilities(model: keras.Model, photo: np.ndarray) -> np.ndarray:
    """Return what plain Keras predicts for a prepared photo (H, W, C). Inputs other than the first image are zeros."""
    if tuple(model.inputs[0].shape[1:]) == (3, 13, 9):
        photo = photo.transpose(2, 0, 1)
    structure = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    first = next(tensor for tensor in model.inputs if len(tensor.shape) == 4)
    given = keras.tree.map_structure(
        lambda tensor: photo[None] if tensor is first else np.zeros((1, *tensor.shape[1:]), np.float32), structure
    )
    found = model(given, training=False)
    return np.asarray(found["kind"] if isinstance(found, dict) else found, np.float32)[0]


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in BUILDERS])
def test_a_model_computes_what_plain_keras_computes(name: str, tmp_path: Path) -> None:
    zoo.seeded(BUILDERS[name]()).save(tmp_path / "tried.keras")
    plain = keras.saving.load_model(tmp_path / "tried.keras", compile=False)
    model = ModelPool(load_catalog(tmp_path / "models.toml", tmp_path), 10**12).get("tried")
    conv = next(layer.path for layer in model.published.description.layers if layer.path.rpartition("/")[2] == "conv")
    expected = plain_probabilities(plain, model.prepare(PHOTO)[0])
    output = {"output": "scores"} if "scores" in model.published.description.outputs else {}
    half = "16" in name or name == "layers_of_other_policies"
    np.testing.assert_allclose(array(run(model, "predict", **output), "probabilities"), expected, rtol=0.05 if half else 1e-3, atol=1e-5)
    map_ = array(run(model, "grad_cam", layer=conv, class_index=2, **output), "map")
    assert map_.ndim == 2
    assert np.isfinite(map_).all()
    activations = array(run(model, "activations", layer=conv), "activations")
    assert activations.shape[:2] == map_.shape
    if name in WITHOUT_GRADIENT:
        with pytest.raises(NoGradient, match="is not differentiable"):
            run(model, "saliency", class_index=2)
        return
    saliency = array(run(model, "saliency", class_index=2, **output), "map")
    assert saliency.shape == model.prepare(PHOTO)[0].shape[:2]
    assert np.isfinite(saliency).all()
    assert np.ptp(saliency) > 0


def test_every_layer_of_keras_has_a_model() -> None:
    """A new layer of Keras, or a new name of one, must be added to the zoo or have a reason not to be there."""
    every = {value.__name__ for value in vars(keras.layers).values() if isinstance(value, type)}
    assert every - set(BUILDERS) == set(NOT_IN_IMAGE_MODELS)
