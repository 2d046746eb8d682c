"""The catalogue lists built-in models, `keras_applications`, `models.toml` and the models folder, and nothing outside that folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.catalog import load_catalog
from catalog.keras_architectures import KERAS_APPLICATIONS
from schemas.errors import ModelLoadFailed, UnknownModel
from schemas.models import Preprocessing
from tests.catalog.make_catalog import catalog_in


def test_without_settings_there_are_the_built_in_models_and_keras_applications(tmp_path: Path) -> None:
    catalog = load_catalog(tmp_path / "nothing.toml", tmp_path / "nowhere")
    assert set(catalog) == {"efficientnet_lite0", *KERAS_APPLICATIONS}
    lite, vgg = catalog["efficientnet_lite0"], catalog["vgg16"]
    assert (lite.source, lite.labels, lite.preprocessing.mean, lite.preprocessing.std) == ("builtin", "imagenet", (127.0,), (128.0,))
    assert (vgg.source, vgg.architecture, vgg.weights, vgg.input_size) == ("keras_applications", "vgg16", "imagenet", (224, 224))
    assert vgg.preprocessing == Preprocessing.named("caffe")
    assert catalog["efficientnet_b3"].input_size == (300, 300)


@pytest.mark.parametrize("name", ["vgg61", "../vgg16", "vgg16.keras", "/etc/passwd", "hf://x", ""])
def test_an_unknown_name_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(UnknownModel) as raised:
        catalog_in(folder).entry(name)
    assert (raised.value.pointer, raised.value.got) == ("/model", name)


def test_the_error_has_the_nearest_names(folder: Path) -> None:
    with pytest.raises(UnknownModel, match="Nearest: resnet50") as raised:
        catalog_in(folder).entry("resnet_50", None)
    assert raised.value.pointer is None


def test_models_toml_may_give_the_name_of_a_built_in_model_to_another_model(folder: Path) -> None:
    entry = catalog_in(folder, '[efficientnet_lite0]\narchitecture = "efficientnet_b0"\n')["efficientnet_lite0"]
    assert (entry.source, entry.architecture) == ("keras_applications", "efficientnet_b0")


def test_two_files_of_one_name_are_unusable_and_spoil_no_other(folder: Path) -> None:
    for name in ("a.h5", "a.keras", "b.keras"):
        (folder / name).write_bytes(b"x")
    catalog = catalog_in(folder)
    assert "b" in catalog
    with pytest.raises(ModelLoadFailed, match=r"The files a\.h5 and a\.keras are all called 'a'"):
        catalog.entry("a")
    (folder / "a.h5").unlink()
    assert "a" in catalog_in(folder)


def test_a_wrong_table_never_leaves_another_model_under_its_name(folder: Path) -> None:
    catalog = catalog_in(folder, '[efficientnet_lite0]\narchitecture = "efficientnet_b99"\n')
    assert "efficientnet_lite0" not in catalog
    assert "efficientnet_b99" in catalog.unusable["efficientnet_lite0"].reason
