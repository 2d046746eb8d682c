"""The catalogue lists built-in models, `keras_applications`, `models.toml` and the models folder, and nothing outside that folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catalog.catalog import Catalog, load_catalog
from catalog.errors import CatalogError
from catalog.keras_architectures import KERAS_APPLICATIONS
from schemas.errors import UnknownModel
from schemas.models import Preprocessing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    models = tmp_path / "models"
    models.mkdir()
    return models


def loaded(folder: Path, toml: str = "") -> Catalog:
    models_file = folder.parent / "models.toml"
    models_file.write_text(toml)
    return load_catalog(models_file, folder)


def test_without_settings_there_are_the_built_in_models_and_keras_applications(tmp_path: Path) -> None:
    catalog = load_catalog(tmp_path / "nothing.toml", tmp_path / "nowhere")
    assert set(catalog) == {"efficientnet_lite0", *KERAS_APPLICATIONS}
    lite, vgg = catalog["efficientnet_lite0"], catalog["vgg16"]
    assert (lite.source, lite.labels, lite.preprocessing.mean, lite.preprocessing.std) == ("builtin", "imagenet", (127.0,), (128.0,))
    assert (vgg.source, vgg.architecture, vgg.weights, vgg.input_size) == ("keras_applications", "vgg16", "imagenet", (224, 224))
    assert vgg.preprocessing == Preprocessing.named("caffe")
    assert catalog["efficientnet_b3"].input_size == (300, 300)


def test_models_toml_changes_models_and_adds_models(folder: Path) -> None:
    (folder / "mine.weights.h5").write_bytes(b"w")
    (folder / "names.txt").write_text("a\nb\n")
    catalog = loaded(
        folder,
        """
        [vgg16]
        title = "Untrained"
        weights = "random"
        input_size = [64, 96]
        default_layer = "block3_conv3"
        input = "left"

        [cats]
        architecture = "mobilenet_v2"
        weights = "mine.weights.h5"
        labels = "names.txt"
        preprocessing = {mean = [1.0, 2.0, 3.0], order = "bgr", fit = "crop"}
        """,
    )
    vgg, cats = catalog["vgg16"], catalog["cats"]
    assert (vgg.title, vgg.weights, vgg.input_size, vgg.labels, vgg.default_layer) == (
        "Untrained",
        "random",
        (64, 96),
        None,
        "block3_conv3",
    )
    assert (vgg.input, cats.input) == ("left", None)
    assert (cats.architecture, cats.weights, cats.labels) == ("mobilenet_v2", folder / "mine.weights.h5", folder / "names.txt")
    assert (cats.preprocessing.mean, cats.preprocessing.order, cats.preprocessing.fit) == ((1.0, 2.0, 3.0), "bgr", "crop")


def test_files_are_models_with_their_side_files(folder: Path) -> None:
    for name in ("a.keras", "b.H5", "a.weights.h5", "notes.txt"):
        (folder / name).write_bytes(b"x")
    (folder / "c.keras").mkdir()
    (folder / "a.toml").write_text('title = "A"\npreprocessing = "torch"\nlabels = "imagenet"\ninput_size = [7, 9]\n')
    catalog = loaded(folder)
    assert {name for name, entry in catalog.items() if entry.source == "file"} == {"a", "b"}
    a, b = catalog["a"], catalog["b"]
    assert (a.title, a.preprocessing.mode, a.labels, a.input_size, a.file) == ("A", "torch", "imagenet", (7, 9), folder / "a.keras")
    assert (b.title, b.preprocessing.mode, b.labels, b.weights) == ("b.H5", "none", None, None)


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ("[vgg16\n", r"models\.toml: "),
        (
            '[x]\narchitecture = "vgg61"\n',
            r"\[x\] names the architecture 'vgg61', which keras_applications does not have \(nearest: vgg19, vgg16",
        ),
        ("[nothing_like_it]\n", "names the architecture 'nothing_like_it', which keras_applications does not have"),
        ('[vgg16]\nwieghts = "random"\n', "wieghts"),
        ("[vgg16]\ninput_size = [1, 2, 3]\n", "input_size"),
        ('["Big Name"]\narchitecture = "vgg16"\n', "'Big Name' cannot be a model's name"),
        ('["../x"]\narchitecture = "vgg16"\n', "cannot be a model's name"),
        ('[vgg16]\nweights = "../../secret.h5"\n', "outside the models folder"),
        ('[vgg16]\nweights = "/etc/passwd"\n', "outside the models folder"),
        ('[vgg16]\nlabels = "../labels.txt"\n', "outside the models folder"),
        ("vgg16 = 3\n", "vgg16"),
    ],
)
def test_a_wrong_models_toml_is_refused_with_a_reason(folder: Path, toml: str, words: str) -> None:
    with pytest.raises(CatalogError, match=words):
        loaded(folder, toml)


@pytest.mark.parametrize(
    ("name", "side", "words"),
    [
        ("a.keras", "title = 3\n", r"(?s)a\.toml: .*title"),
        ("a.keras", "title = \n", r"a\.toml: "),
        ("a.keras", "title = '\udce9'\n", r"a\.toml: .*utf-8"),
        ("a.keras", 'weights = "random"\n', r"a\.toml sets architecture or weights, .* in models\.toml only"),
        ("a.keras", 'labels = "../labels.txt"\n', "outside the models folder"),
        ("A B.keras", "", r"A B\.keras: 'A B' cannot be a model's name"),
        ("vgg16.keras", "", r"Two models are called 'vgg16': one is from the source keras_applications, one from the file vgg16\.keras"),
    ],
)
def test_a_wrong_model_file_is_refused_with_a_reason(folder: Path, name: str, side: str, words: str) -> None:
    (folder / name).write_bytes(b"x")
    (folder / name).with_suffix(".toml").write_text(side, "utf-8", "surrogateescape")
    with pytest.raises(CatalogError, match=words):
        loaded(folder)


def test_a_link_out_of_the_folder_is_not_followed_for_weights(folder: Path) -> None:
    (folder.parent / "secret.h5").write_bytes(b"x")
    (folder / "inside.weights.h5").symlink_to(folder.parent / "secret.h5")
    with pytest.raises(CatalogError, match="outside the models folder"):
        loaded(folder, '[vgg16]\nweights = "inside.weights.h5"\n')


def test_the_digest_changes_with_settings_and_files(folder: Path) -> None:
    model = folder / "a.keras"
    model.write_bytes(b"1")
    (folder / "w.h5").write_bytes(b"1")
    toml = '[mine]\narchitecture = "vgg16"\nweights = "w.h5"\n'
    first = loaded(folder, toml)
    assert loaded(folder, toml)["a"].digest == first["a"].digest
    model.write_bytes(b"2")
    os.utime(model, ns=(5, 5))
    os.utime(folder / "w.h5", ns=(5, 5))
    second = loaded(folder, toml)
    assert second["a"].digest != first["a"].digest
    assert second["mine"].digest != first["mine"].digest
    assert second["vgg16"].digest == first["vgg16"].digest
    (folder / "a.toml").write_text('title = "other"\n')
    assert loaded(folder, toml)["a"].digest != second["a"].digest


def test_the_digest_changes_with_the_labels_file(folder: Path) -> None:
    (folder / "a.keras").write_bytes(b"1")
    (folder / "a.toml").write_text('labels = "names.txt"\n')
    toml = '[vgg16]\nlabels = "names.txt"\n'
    before = loaded(folder, toml)
    (folder / "names.txt").write_text("cat\ndog\nfox\n")
    after = loaded(folder, toml)
    assert [name for name in after if after[name].digest != before[name].digest] == ["vgg16", "a"]


@pytest.mark.parametrize("name", ["vgg61", "../vgg16", "vgg16.keras", "/etc/passwd", "hf://x", ""])
def test_an_unknown_name_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(UnknownModel) as raised:
        loaded(folder).entry(name)
    assert (raised.value.pointer, raised.value.got) == ("/model", name)


def test_the_error_has_the_nearest_names(folder: Path) -> None:
    with pytest.raises(UnknownModel, match="Nearest: resnet50") as raised:
        loaded(folder).entry("resnet_50", None)
    assert raised.value.pointer is None
