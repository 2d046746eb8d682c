"""Every model file of the models folder is a model, with the settings of its side file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ModelLoadFailed
from tests.catalog.make_catalog import catalog_in


def test_files_are_models_with_their_side_files(folder: Path) -> None:
    for name in ("a.keras", "b.H5", "d.hdf5", "notes.txt"):
        (folder / name).write_bytes(b"x")
    (folder / "c.keras").mkdir()
    (folder / "a.toml").write_text('title = "A"\npreprocessing = "torch"\nlabels = "imagenet"\ninput_size = [7, 9]\n')
    catalog = catalog_in(folder)
    assert {name for name, entry in catalog.items() if entry.source == "file"} == {"a", "b", "d"}
    a, b = catalog["a"], catalog["b"]
    assert (a.title, a.preprocessing.mode, a.labels, a.input_size, a.file) == ("A", "torch", "imagenet", (7, 9), folder / "a.keras")
    assert (b.title, b.preprocessing.mode, b.labels, b.weights) == ("b.H5", "none", None, None)


@pytest.mark.parametrize(
    ("name", "side", "listed", "words"),
    [
        ("a.keras", "title = 3\n", "a", r"a\.toml: title: Input should be a valid string\.$"),
        ("a.keras", "title = \n", "a", r"a\.toml: Invalid value"),
        ("a.keras", "title = '\udce9'\n", "a", r"a\.toml: .*utf-8"),
        ("a.keras", 'weights = "random"\n', "a", r"a\.toml sets architecture or weights, .* in models\.toml only"),
        ("a.keras", 'labels = "../labels.txt"\n', "a", "outside the models folder"),
        ("My Model.keras", "", "My Model", r"My Model\.keras: 'My Model' cannot be a model's name"),
        ("Digits-V2.keras", "", "Digits-V2", "'Digits-V2' cannot be a model's name"),
        ("caf\udce9.keras", "", "caf\\xe9", r"caf\\xe9\.keras: .* cannot be a model's name"),
        ("vgg16.keras", "", "vgg16.keras", r"vgg16\.keras: another source has a model that is called 'vgg16' too"),
    ],
)
def test_a_wrong_model_file_is_unusable_and_spoils_no_other(folder: Path, name: str, side: str, listed: str, words: str) -> None:
    for file in (name, "good.keras"):
        (folder / file).write_bytes(b"x")
    (folder / name).with_suffix(".toml").write_text(side, "utf-8", "surrogateescape")
    catalog = catalog_in(folder)
    assert {"good", "vgg16"} <= set(catalog)
    assert catalog["vgg16"].source == "keras_applications"
    assert list(catalog.unusable) == [listed]
    model = catalog.unusable[listed]
    assert (model.source, listed in catalog) == ("file", False)
    assert re.search(words, model.reason)
    assert model.model_dump_json()  # a name that is not UTF-8 must not break the list
    with pytest.raises(ModelLoadFailed, match=words) as raised:
        catalog.entry(listed)
    assert (raised.value.pointer, raised.value.got, raised.value.retryable) == ("/model", listed, False)


def test_a_side_file_that_may_not_be_read_spoils_one_model(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.keras", "b.keras", "a.toml"):
        (folder / name).write_bytes(b"")
    read = Path.read_text

    def refuse(path: Path, *arguments: Any) -> str:
        if path.name == "a.toml":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *arguments)

    monkeypatch.setattr(Path, "read_text", refuse)
    catalog = catalog_in(folder)
    assert "b" in catalog
    assert catalog.unusable["a"].reason == "a.toml cannot be read: Permission denied."
