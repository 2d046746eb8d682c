"""Every model file of the models folder is a model, with the settings of its side file."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import CatalogError
from tests.catalog.make_catalog import catalog_in


def test_files_are_models_with_their_side_files(folder: Path) -> None:
    for name in ("a.keras", "b.H5", "a.weights.h5", "notes.txt"):
        (folder / name).write_bytes(b"x")
    (folder / "c.keras").mkdir()
    (folder / "a.toml").write_text('title = "A"\npreprocessing = "torch"\nlabels = "imagenet"\ninput_size = [7, 9]\n')
    catalog = catalog_in(folder)
    assert {name for name, entry in catalog.items() if entry.source == "file"} == {"a", "b"}
    a, b = catalog["a"], catalog["b"]
    assert (a.title, a.preprocessing.mode, a.labels, a.input_size, a.file) == ("A", "torch", "imagenet", (7, 9), folder / "a.keras")
    assert (b.title, b.preprocessing.mode, b.labels, b.weights) == ("b.H5", "none", None, None)


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
        catalog_in(folder)
