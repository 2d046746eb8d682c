"""Subclassed models are opened: their layers are seen, and the numbers stay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from catalog.catalog import load_catalog
from schemas.errors import ModelLoadFailed
from schemas.models import LayerKind
from tests import zoo
from tests.workers.models import subclassed_models
from tests.workers.models.entries import file_entry
from tests.workers.models.subclassed_models import MODULE
from workers.models.limits import ModelLimits
from workers.models.loading import load_model
from workers.models.pool import LoadedModel, ModelPool

X = np.random.default_rng(2).uniform(0, 255, (2, 13, 9, 3)).astype(np.float32)


def objects(*names: str) -> tuple[str, ...]:
    return tuple(f"{MODULE}:{name}" for name in names)


def loaded(path: Path, *names: str) -> LoadedModel:
    limits = ModelLimits(custom_objects=objects(*names))
    return ModelPool(load_catalog(path.parent / "models.toml", path.parent), 10**12, limits=limits).get(path.stem)


def saved(folder: Path, model: keras.Model, x: Any = X) -> tuple[Path, Any]:
    """Save the model with weights drawn by seed. Return the file, and what the model computes of x."""
    model(x)
    zoo.seeded(model).save(folder / "own.keras")
    return folder / "own.keras", model(x, training=False)


def test_a_model_of_plain_layers_is_seen_layer_by_layer(tmp_path: Path) -> None:
    path, expected = saved(tmp_path, subclassed_models.PlainNet(5))
    found = loaded(path, "PlainNet")
    description = found.published.description
    assert [layer.path for layer in description.layers if layer.kind not in (LayerKind.INPUT, LayerKind.OTHER)][:2] == ["conv", "norm"]
    assert (description.head, description.classes, description.default_layer) == ("softmax", 5, "norm")
    assert description.layer_at("conv").receptive_field is not None
    assert description.custom_objects == objects("PlainNet")
    got = found.probe.forward(X, ["conv"], scores=True)
    np.testing.assert_allclose(got.probabilities, expected, rtol=1e-5)
    assert got.activations["conv"].shape == (2, 11, 7, 4)
    gradients = found.probe.gradients(X, "norm", np.array([3, 1], np.int32)).gradients
    kernel = load_model(file_entry(path), ModelLimits(custom_objects=objects("PlainNet"))).get_layer("scores").kernel
    # The score of class c is the mean of the map times the kernel, so its gradient is kernel[:, c] / 77 everywhere.
    np.testing.assert_allclose(gradients, np.broadcast_to(np.asarray(kernel)[:, [3, 1]].T[:, None, None] / 77, (2, 11, 7, 4)), rtol=1e-4)


def test_blocks_that_are_models_are_opened_and_stay_shared(tmp_path: Path) -> None:
    numbers = np.array([[0.5, -2.0], [1.0, 3.0]], np.float32)
    path, expected = saved(tmp_path, subclassed_models.BlockNet(), [X, numbers])
    names = ("BlockNet", "ResidualBlock")
    found = loaded(path, *names)
    layers = {layer.path: layer for layer in found.published.description.layers}
    assert (layers["first/conv"].calls, layers["second/conv"].calls) == (2, 1)
    assert layers["first"].kind is LayerKind.MODEL
    assert found.published.description.custom_objects == objects(*names)
    model = load_model(file_entry(path), ModelLimits(custom_objects=objects(*names)))
    np.testing.assert_allclose(np.asarray(model([X, numbers])["logits"]), np.asarray(expected["logits"]), rtol=1e-5)
    assert model.count_params() == (2 * 2 * 3 * 4 + 4) + 2 * (3 * 3 * 4 * 4 + 4) + 6 * 3 + 3
    assert found.probe.forward(X, ["second/conv"]).activations["second/conv"].shape == (2, 6, 8, 4)


def test_a_block_inside_a_functional_model_is_opened(tmp_path: Path) -> None:
    photo = keras.Input((13, 9, 3), name="photo")
    x = subclassed_models.ResidualBlock(3, name="block")(photo / 64)
    model = keras.Model(photo, keras.layers.Dense(2, name="scores")(keras.layers.GlobalMaxPooling2D(name="max")(x)))
    path, expected = saved(tmp_path, model)
    found = loaded(path, "ResidualBlock")
    assert "block/conv" in [layer.path for layer in found.published.description.layers]
    np.testing.assert_allclose(found.probe.forward(X, scores=True).logits, expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("TensorFlowNet", "cannot be followed layer by layer: ValueError: A KerasTensor cannot be used as input to a TensorFlow function"),
        ("BranchingNet", "computes something else for values than for symbolic tensors"),
        ("ScaledNet", r"uses weights that are in none of its layers: .*factor"),
    ],
)
def test_a_call_that_cannot_be_followed_is_explained(tmp_path: Path, name: str, says: str) -> None:
    path, _ = saved(tmp_path, getattr(subclassed_models, name)())
    with pytest.raises(ModelLoadFailed, match=says) as raised:
        load_model(file_entry(path), ModelLimits(custom_objects=objects(name)))
    assert raised.value.detail.endswith("and name that layer in CONVSCOPE_CUSTOM_OBJECTS, too.")


def test_the_advice_works(tmp_path: Path) -> None:
    """The step that cannot be followed is put into a layer of its own."""
    path, expected = saved(tmp_path, subclassed_models.AdvisedNet())
    found = loaded(path, "AdvisedNet", "ConcatenatedRelu")
    np.testing.assert_allclose(found.probe.forward(X, scores=True).logits, expected, rtol=1e-5)
    assert found.published.description.layer_at("step").output_shape == (11, 7, 8)
