"""The catalogue changes when the files on disk change."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.watched_catalog import WatchedCatalog


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    models = tmp_path / "models"
    (models / "names").mkdir(parents=True)
    (models / "flowers.keras").write_bytes(b"a")
    (models / "flowers.toml").write_text('labels = "names/flowers.txt"\n')
    (models / "names" / "flowers.txt").write_text("rose\ntulip\n")
    return models


def test_a_labels_file_in_a_subfolder_is_watched(folder: Path) -> None:
    catalog = WatchedCatalog(folder.parent / "models.toml", folder)
    first = catalog.current()["flowers"]
    assert first.labels == (folder / "names" / "flowers.txt").resolve()
    assert catalog.current() is catalog.current()
    (folder / "names" / "flowers.txt").write_text("rose\ntulip\ndaisy\n")
    second = catalog.current()["flowers"]
    assert second.digest != first.digest
    assert catalog.current() is catalog.current()


def test_a_weights_file_in_a_subfolder_is_watched(folder: Path) -> None:
    models_file = folder.parent / "models.toml"
    models_file.write_text('[vgg16]\nweights = "names/own.weights.h5"\n')
    catalog = WatchedCatalog(models_file, folder)
    before = catalog.current()["vgg16"].digest
    (folder / "names" / "own.weights.h5").write_bytes(b"w")  # models.toml named it before it existed
    assert catalog.current()["vgg16"].digest != before


def test_a_new_file_is_a_new_model_and_a_wrong_one_changes_nothing(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    catalog = WatchedCatalog(folder.parent / "models.toml", folder)
    assert "trees" not in catalog.current()
    (folder / "trees.h5").write_bytes(b"t")
    assert catalog.current()["trees"].source == "file"
    (folder / "trees.toml").write_text("title = ")
    assert "trees" in catalog.current()
    assert "last good one stays in force" in caplog.text


def test_a_suffix_in_capitals_makes_a_model_too(folder: Path) -> None:
    (folder / "trees.KERAS").write_bytes(b"t")
    (folder / "own.WEIGHTS.H5").write_bytes(b"w")
    catalog = WatchedCatalog(folder.parent / "models.toml", folder).current()
    assert catalog["trees"].file == (folder / "trees.KERAS").resolve()
    assert not any(name.startswith("own") for name in catalog)
