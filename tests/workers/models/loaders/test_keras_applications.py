"""Every architecture of keras.applications is listed, built, described and explained as its table row says."""

from __future__ import annotations

import gc
import inspect
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from catalog.keras_architectures import KERAS_APPLICATIONS
from schemas.errors import ModelLoadFailed
from schemas.limits import MethodLimits
from schemas.methods.cam.grad_cam import GradCam
from tests.workers.models.entries import application_entry
from workers.contract.inputs import Inputs
from workers.engine.graph import Graph
from workers.engine.keras_internals import KERAS_FOLDER_VARIABLE, declare_variables_only
from workers.engine.probe import KerasProbe
from workers.methods.cam import grad_cam
from workers.models.description.default_layer import default_layer
from workers.models.description.describe import describe
from workers.models.description.describe_layers import describe_layers
from workers.models.description.fingerprint import fingerprint
from workers.models.limits import ModelLimits
from workers.models.loading import load_model
from workers.models.preprocessing import prepare
from workers.models.weights import downloads


def offered() -> dict[str, Callable[..., keras.Model]]:
    return {name: function for name, function in inspect.getmembers(keras.applications, inspect.isfunction) if name[0].isupper()}


def build_without_memory(class_name: str) -> keras.Model:
    """Return the model without values for its weights: variables are declared but not drawn."""
    with declare_variables_only():
        return getattr(keras.applications, class_name)(weights=None)


def test_the_table_has_every_architecture_of_keras_applications() -> None:
    assert {class_name for class_name, _, _ in KERAS_APPLICATIONS.values()} == set(offered())


@pytest.mark.parametrize("name", KERAS_APPLICATIONS)
def test_preprocessing_is_the_familys_own(name: str) -> None:
    class_name, _, mode = KERAS_APPLICATIONS[name]
    family = inspect.getmodule(offered()[class_name])
    photo = np.random.default_rng(0).integers(0, 256, (3, 5, 3)).astype(np.float32)
    expected = photo if mode == "none" else keras.applications.imagenet_utils.preprocess_input(photo.copy(), mode=mode)
    np.testing.assert_array_equal(family.preprocess_input(photo.copy()), expected)


@pytest.mark.slow
@pytest.mark.parametrize("name", KERAS_APPLICATIONS)
def test_every_architecture_lists_its_layers(name: str) -> None:
    class_name, side, _ = KERAS_APPLICATIONS[name]
    model = build_without_memory(class_name)
    assert model.inputs[0].shape[1:] in ((side, side, 3), (None, None, 3))
    graph = Graph(model)
    layers = describe_layers(graph)
    by_path = {layer.path: layer for layer in layers}
    chosen = by_path[default_layer(layers) or ""]
    assert (graph.head.kind, graph.head.classes) == ("softmax", 1000)
    assert chosen.cam_able
    assert chosen.receptive_field is not None
    # Only pooling and the classifier may follow the default layer, so each later layer with a map is a pooling layer.
    later = [layer for layer in layers[layers.index(chosen) + 1 :] if len(layer.output_shape) == 3 and layer.output_shape[0] != 1]
    assert all(layer.kind == "pooling" for layer in later)


# Input sizes that are small and not square, but not below the smallest size that some architectures take.
SMALL = {"inception_v3": (107, 139), "inception_resnet_v2": (107, 139), "xception": (96, 128)}


@pytest.mark.slow
@pytest.mark.parametrize("name", KERAS_APPLICATIONS)
def test_every_architecture_gives_a_grad_cam(name: str) -> None:
    """The models are untrained and the inputs small. The largest (ConvNeXtXLarge) takes 2.4 GB; all 40 take under 4 minutes on 2 cores."""
    entry = application_entry(name, input_size=SMALL.get(name, (64, 96)))
    model = load_model(entry)
    published = describe(model, entry)
    params = GradCam().resolve(published, MethodLimits())
    photo = np.random.default_rng(0).integers(0, 256, (40, 61, 3), np.uint8)
    tensor, _ = prepare(photo, entry.preprocessing, entry.input_size, 3)
    (found,) = grad_cam.run(KerasProbe(model, published), Inputs(tensor[None]), [params])
    described = published.description.layer_at(published.description.default_layer or "")
    assert found.maps.shape == (1, *described.output_shape[:2])
    assert np.isfinite(found.maps).all()
    assert np.ptp(found.maps) > 0
    del model, published, found
    gc.collect()


# Published values of doi:10.23915/distill.00021 (table of networks), computed from other implementations of the same networks.
@pytest.mark.parametrize(
    ("name", "path", "size", "stride"),
    [
        ("vgg16", "block5_pool", 212, 32),
        ("vgg16", "block5_conv3", 196, 16),
        ("mobilenet", "conv_pw_13_relu", 315, 32),
        ("inception_v3", "mixed10", 1311, 32),
        ("inception_resnet_v2", "conv_7b_ac", 3039, 32),
    ],
)
def test_receptive_fields_are_those_published(name: str, path: str, size: int, stride: int) -> None:
    layers = describe_layers(Graph(build_without_memory(KERAS_APPLICATIONS[name][0])))
    field = next(layer.receptive_field for layer in layers if layer.path == path)
    assert field is not None
    assert (field.size, field.stride) == ((size, size), (stride, stride))


@pytest.mark.parametrize(
    ("name", "layer"),
    [("vgg16", "block5_conv3"), ("resnet50", "conv5_block3_out"), ("mobilenet_v2", "out_relu"), ("efficientnet_b0", "top_activation")],
)
def test_default_layers(name: str, layer: str) -> None:
    assert default_layer(describe_layers(Graph(build_without_memory(KERAS_APPLICATIONS[name][0])))) == layer


@pytest.mark.slow
def test_random_weights_and_names_are_the_same_at_every_load() -> None:
    first, second = (load_model(application_entry("mobilenet_v3_small")) for _ in range(2))
    assert [layer.name for layer in first.layers] == [layer.name for layer in second.layers]
    assert fingerprint(first) == fingerprint(second)
    other = load_model(application_entry("mobilenet_v3_small", name="another"))
    assert fingerprint(other) != fingerprint(first)
    kernel = np.asarray(first.get_layer("conv").kernel)  # GlorotUniform of 3 × 3 × 3 → 16 has the bounds ± sqrt(6 / (27 + 144))
    assert kernel.std() == pytest.approx(np.sqrt(2 / (27 + 144)), rel=0.1)
    assert len(np.unique(kernel)) > 400


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*HDF5 file via:UserWarning")
def test_a_weights_file_is_read(tmp_path: Path) -> None:
    model = load_model(application_entry("mobilenet_v3_small", name="source"))
    photo = np.random.default_rng(1).uniform(0, 255, (2, 224, 224, 3)).astype(np.float32)
    model.save_weights(tmp_path / "own.weights.h5")
    model.save(tmp_path / "whole.h5")
    model.save(tmp_path / "whole.keras")
    for name in ("own.weights.h5", "whole.h5", "whole.keras"):
        loaded = load_model(application_entry("mobilenet_v3_small", weights=tmp_path / name))
        np.testing.assert_array_equal(np.asarray(loaded(photo)), np.asarray(model(photo)), err_msg=name)


@pytest.mark.slow
def test_a_weights_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    load_model(application_entry("mobilenet_v3_small")).save_weights(tmp_path / "own.weights.h5")
    with pytest.raises(ModelLoadFailed, match=r"'own.weights.h5' does not fit"):
        load_model(application_entry("mobilenet_v2", weights=tmp_path / "own.weights.h5"))
    with pytest.raises(ModelLoadFailed, match="at most 1000 are allowed"):
        load_model(application_entry("mobilenet_v3_small", weights=tmp_path / "own.weights.h5"), ModelLimits(max_file_bytes=1000))
    with pytest.raises(ModelLoadFailed, match=r"'gone\.h5' is not in the models folder"):
        load_model(application_entry("mobilenet_v3_small", weights=tmp_path / "gone.h5"))


def test_a_labels_file_sets_the_number_of_classes(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("cat\ndog\nfox\n")
    model = load_model(application_entry("mobilenet_v3_small", labels=tmp_path / "labels.txt", input_size=(96, 64)))
    assert model.output_shape == (None, 3)
    assert model.input_shape == (None, 96, 64, 3)


class TestWithoutNetwork:
    """No weights were downloaded before, and the proxy through which ImageNet weights would come does not answer."""

    @pytest.fixture(autouse=True)
    def nothing_downloaded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(KERAS_FOLDER_VARIABLE, str(tmp_path))
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)

    def load(self) -> Any:
        return load_model(application_entry("mobilenet_v3_small", weights="imagenet"))

    def test_a_refused_download_is_an_error_with_advice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{closed.getsockname()[1]}")
        with pytest.raises(
            ModelLoadFailed, match=r"MobileNetV3Small.*refused.*If there is no network, .* in \[mobilenet_v3_small\] of models\.toml"
        ):
            self.load()

    def test_a_download_without_a_byte_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(downloads, "SILENCE_SECONDS", 0.2)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            monkeypatch.setenv("https_proxy", f"http://127.0.0.1:{silent.getsockname()[1]}")
            with pytest.raises(ModelLoadFailed, match="timed out"):
                self.load()
