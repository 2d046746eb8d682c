"""Layers of the operator's own: they are imported by name, and the models compute what plain Keras computes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from pydantic import ValidationError

from catalog.catalog import load_catalog
from schemas.errors import ModelLoadFailed
from schemas.models import LayerKind, TokenGrid
from tests import zoo
from tests.workers.models import custom_layers
from tests.workers.models.entries import file_entry
from tests.workers.models.model_files import copy_with_config, layer_config
from workers.engine.folding import fold_batch_norms
from workers.engine.graph import Graph
from workers.models.custom_objects import CustomObjectError, import_custom_objects, import_fault
from workers.models.description.describe import describe
from workers.models.limits import ModelLimits
from workers.models.loading import load_model
from workers.models.pool import LoadedModel, ModelPool
from workers.settings import WorkerSettings

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*HDF5 file via:UserWarning"),
    # The layers of keras.io's example have no `build`, about which Keras warns when it loads them.
    pytest.mark.filterwarnings("ignore:.*does not have a `build:UserWarning"),
]


def saved(folder: Path, build: Callable[[], keras.Model], suffix: str = ".keras") -> tuple[keras.Model, Path]:
    model = zoo.seeded(build())
    path = folder / f"own{suffix}"
    model.save(path)
    return model, path


def loaded(path: Path, objects: tuple[str, ...]) -> LoadedModel:
    return ModelPool(load_catalog(path.parent / "models.toml", path.parent), 10**12, limits=ModelLimits(custom_objects=objects)).get("own")


def photos(model: keras.Model) -> np.ndarray:
    return zoo.photo_batch(model) * 100 + 120


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize(
    ("build", "objects", "layer"),
    [
        (custom_layers.keras_io_vit, custom_layers.VIT, "encoder"),
        (custom_layers.convnext_like, custom_layers.CONVNEXT, "block0"),
        (custom_layers.with_functions, custom_layers.FUNCTIONS, "conv"),
        (custom_layers.weight_standardised, custom_layers.WEIGHT_STANDARDISED, "conv"),
    ],
    ids=["vit", "convnext", "functions", "weight_standardised"],
)
def test_outputs_and_gradients_are_those_of_plain_keras(
    tmp_path: Path, build: Callable[[], keras.Model], objects: tuple[str, ...], layer: str, suffix: str
) -> None:
    model, path = saved(tmp_path, build, suffix)
    found = loaded(path, objects)
    assert set(found.published.description.custom_objects) == set(objects)
    x, scores, explained = photos(model), model.layers[-1], model.get_layer(layer).output
    activations = keras.Model(model.inputs[0], explained)(x, training=False)
    head = keras.Model(explained, scores.input)
    with tf.GradientTape() as tape:
        tape.watch(activations)
        logits = head(activations, training=False) @ scores.kernel + scores.bias
        score = logits[0, 2] + logits[1, 0]
    got = found.probe.gradients(x, layer, np.array([2, 0], np.int32))
    np.testing.assert_allclose(got.activations, activations, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(got.gradients, tape.gradient(score, activations), rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(got.logits, logits, rtol=1e-4, atol=1e-5)


def test_only_the_named_classes_are_admitted(tmp_path: Path) -> None:
    _, path = saved(tmp_path, custom_layers.convnext_like)
    with pytest.raises(ModelLoadFailed, match=r"'DroppedPath', which Keras .* CONVSCOPE_CUSTOM_OBJECTS=module:Class"):
        load_model(file_entry(path), ModelLimits(custom_objects=custom_layers.CONVNEXT[:1]))
    with pytest.raises(ModelLoadFailed, match=r"'DroppedPath'|'mine>ScaledChannels'"):
        load_model(file_entry(path), ModelLimits(custom_objects=custom_layers.VIT))


@pytest.mark.parametrize("function", ["system", "eval", "squashed_too"])
def test_a_lambda_layer_calls_named_functions_alone(tmp_path: Path, function: str) -> None:
    _, path = saved(tmp_path, custom_layers.with_functions)

    def change(config: dict[str, Any]) -> None:
        layer_config(config, "centre")["config"]["function"].update(config=function, module="os")

    changed = copy_with_config(path, tmp_path / "changed.keras", change)
    with pytest.raises(ModelLoadFailed, match=r"contains a Lambda layer|names the function"):
        load_model(file_entry(changed), ModelLimits(custom_objects=custom_layers.FUNCTIONS))


def test_a_class_of_keras_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The operator's class is called Dense, too, but the file names the Dense of Keras."""
    (tmp_path / "frogs_dense.py").write_text("import keras\nclass Dense(keras.layers.Layer):\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    _, path = saved(tmp_path, custom_layers.convnext_like)
    objects = (*custom_layers.CONVNEXT, "frogs_dense:Dense")
    model = load_model(file_entry(path), ModelLimits(custom_objects=objects))
    assert isinstance(model.layers[-1], keras.layers.Dense)
    assert describe(model, file_entry(path), objects).description.custom_objects == custom_layers.CONVNEXT


def test_the_tokens_of_own_layers_form_the_map_of_their_patches(tmp_path: Path) -> None:
    """A photo is bright in the cell (1, 2) of 4 × 3 cells. The token that differs from that of a dark photo is number 5."""
    _, path = saved(tmp_path, custom_layers.keras_io_vit)
    found = loaded(path, custom_layers.VIT)
    grids = {layer.path: layer.token_grid for layer in found.published.description.layers if layer.token_grid is not None}
    assert grids["patches"] == grids["encoder"] == TokenGrid(height=4, width=3)
    dark = np.zeros((1, 24, 18, 3), np.float32)
    bright = dark.copy()
    bright[:, 6:12, 12:18] = 255
    tokens = found.probe.forward(np.concatenate([dark, bright]), ["encoder"]).activations["encoder"]
    assert np.flatnonzero(abs(tokens[1] - tokens[0]).max(axis=-1) > 1e-6).tolist() == [1 * 3 + 2]
    assert found.published.description.default_layer == "norm"


def test_a_convolution_with_a_call_of_its_own_is_not_taken_for_kerass(tmp_path: Path) -> None:
    _, path = saved(tmp_path, custom_layers.weight_standardised)
    found = loaded(path, custom_layers.WEIGHT_STANDARDISED)
    conv = found.published.description.layer_at("conv")
    assert (conv.kind, conv.type, conv.receptive_field) == (LayerKind.CONV, "StandardisedConv", None)
    model = load_model(file_entry(path), ModelLimits(custom_objects=custom_layers.WEIGHT_STANDARDISED))
    assert fold_batch_norms(Graph(model).topology) == ()
    x = photos(model)
    exact = found.probe.forward(x, ["conv"]).activations["conv"]
    rounded = found.probe.forward(x, ["conv"], precision="bfloat16").activations["conv"]
    np.testing.assert_allclose(rounded, exact, rtol=0.05, atol=0.05 * abs(exact).max())


class ForgetfulPatches(custom_layers.Patches):
    """The class as it stands on keras.io: it takes no further arguments, so Keras cannot make it again."""

    def __init__(self, patch_size: int) -> None:
        super().__init__(patch_size)


def test_a_class_that_does_not_take_its_arguments_back_is_explained_and_the_advice_works(tmp_path: Path) -> None:
    """`Patches` is the same class with the advice followed."""
    photo = keras.Input((12, 8, 3), name="photo")
    for own in (ForgetfulPatches, custom_layers.Patches):
        model = keras.Model(photo, keras.layers.Dense(2, name="scores")(keras.layers.Flatten()(own(4)(photo))))
        model.save(tmp_path / f"{own.__name__.lower()}.keras")
    limits = ModelLimits(custom_objects=(f"{__name__}:ForgetfulPatches", custom_layers.VIT[0]))
    with pytest.raises(ModelLoadFailed, match=r"unexpected keyword argument 'name'.* __init__ must take \*\*kwargs and pass them"):
        load_model(file_entry(tmp_path / "forgetfulpatches.keras"), limits)
    x = photos(model)
    again = load_model(file_entry(tmp_path / "patches.keras"), limits)
    np.testing.assert_array_equal(np.asarray(again(x)), np.asarray(model(x)))


def test_the_fingerprint_changes_with_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import keras\nclass Croak(keras.layers.Layer):\n    def call(self, x):\n        return {factor} * x\n"
    monkeypatch.syspath_prepend(tmp_path)
    fingerprints: list[str] = []
    for factor in (2, 3, 2):
        (tmp_path / "frogs_croak.py").write_text(code.format(factor=factor))
        import_custom_objects.cache_clear()
        sys.modules.pop("frogs_croak", None)
        objects = import_custom_objects(("frogs_croak:Croak",))
        photo = keras.Input((5, 4, 3), name="photo")
        x = keras.layers.Flatten(name="flatten")(objects.find("Croak")(name="croak")(photo))
        model = keras.Model(photo, keras.layers.Dense(2, kernel_initializer="ones", name="scores")(x), name="frogs")
        fingerprints.append(describe(model, file_entry(tmp_path / "a.keras"), ("frogs_croak:Croak",)).description.fingerprint)
    assert fingerprints[0] == fingerprints[2] != fingerprints[1]


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("no_such_module:Layer",), "The module of 'no_such_module:Layer' cannot be imported: ModuleNotFoundError"),
        ((f"{custom_layers.MODULE}:Patchs",), "has no 'Patchs'. Nearest: Patches"),
        ((f"{custom_layers.MODULE}:VIT",), "is of the type tuple. A custom object must be a class or a function"),
        ((f"{custom_layers.MODULE}:Patches", "frogs_twice:Patches"), "would name both .* as 'Patches'"),
    ],
)
def test_a_name_that_cannot_be_used_is_explained(
    names: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "frogs_twice.py").write_text("class Patches:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(CustomObjectError, match=says):
        import_custom_objects(names)
    assert import_fault(names)
    assert import_fault(()) is None


@pytest.mark.parametrize("given", ["frogs", "frogs.layers", "frogs:", ":Croak", "frogs layers:Croak", "frogs.layers:Croak()"])
def test_a_setting_that_is_no_name_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match=r"must be names such as frogs\.layers:Croak"):
        WorkerSettings(custom_objects=given)  # type: ignore[arg-type]


def test_the_setting_reaches_the_loader() -> None:
    settings = WorkerSettings(custom_objects="frogs.layers:Croak, frogs:hop")  # type: ignore[arg-type]
    assert settings.model_limits.custom_objects == ("frogs.layers:Croak", "frogs:hop")
