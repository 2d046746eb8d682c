"""models.toml changes models of keras.applications and adds models of their architectures."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from catalog.errors import CatalogError
from schemas.errors import ModelLoadFailed
from tests.catalog.make_catalog import catalog_in


def test_models_toml_changes_models_and_adds_models(folder: Path) -> None:
    (folder / "mine.weights.h5").write_bytes(b"w")
    (folder / "names.txt").write_text("a\nb\n")
    catalog = catalog_in(
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


@pytest.mark.parametrize(
    ("toml", "words"),
    [
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
        ("vgg16 = 3\n", r"models\.toml: \[vgg16\]: Input should be"),
    ],
)
def test_a_wrong_table_makes_its_model_unusable_and_no_other(folder: Path, toml: str, words: str) -> None:
    (folder / "good.keras").write_bytes(b"x")
    catalog = catalog_in(folder, toml + '[other]\narchitecture = "vgg16"\n')
    ((name, model),) = catalog.unusable.items()
    assert re.search(words, model.reason)
    assert (model.source, name in catalog) == ("keras_applications", False)
    assert {"good", "other", "resnet50"} <= set(catalog)
    with pytest.raises(ModelLoadFailed, match=words):
        catalog.entry(name)


def test_a_models_toml_that_is_no_toml_is_refused_with_a_reason(folder: Path) -> None:
    with pytest.raises(CatalogError, match=r"models\.toml: "):
        catalog_in(folder, "[vgg16\n")


def test_a_link_out_of_the_folder_is_not_followed_for_weights(folder: Path) -> None:
    (folder.parent / "secret.h5").write_bytes(b"x")
    (folder / "inside.weights.h5").symlink_to(folder.parent / "secret.h5")
    catalog = catalog_in(folder, '[vgg16]\nweights = "inside.weights.h5"\n')
    assert "outside the models folder" in catalog.unusable["vgg16"].reason
