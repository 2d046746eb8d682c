"""Uploaded files are models, the operator's models keep their names, and a file that is being checked is found by its version alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catalog.settings_files import ModelTables
from catalog.sources.uploaded_models import UploadedModelsSource, arrivals_folder, uploads_folder
from catalog.watched_catalog import WatchedCatalog
from schemas.errors import ModelChanged
from tests.catalog.make_catalog import catalog_in


@pytest.fixture
def uploads(folder: Path) -> Path:
    arrivals_folder(folder).mkdir(parents=True)
    return uploads_folder(folder)


def test_uploads_are_models_with_their_side_files_and_labels_of_the_models_folder(folder: Path, uploads: Path) -> None:
    for name in ("a.keras", "b.h5", "c.hdf5", "d.weights.h5", "notes.txt"):
        (uploads / name).write_bytes(b"x")
    (uploads / "a.toml").write_text('title = "A"\nlabels = "names.txt"\n')
    catalog = catalog_in(folder)
    assert {name for name, entry in catalog.items() if entry.source == "upload"} == {"a", "b"}
    assert (catalog["a"].title, catalog["a"].labels) == ("A", folder / "names.txt")
    assert catalog["b"].file == uploads / "b.h5"
    assert not catalog.unusable


def test_the_operators_models_keep_their_names(folder: Path, uploads: Path) -> None:
    (folder / "flowers.h5").write_bytes(b"own")
    for name in ("flowers.keras", "vgg16.keras"):
        (uploads / name).write_bytes(b"upload")
    catalog = catalog_in(folder)
    assert (catalog["flowers"].source, catalog["vgg16"].source) == ("file", "keras_applications")
    assert {name: model.source for name, model in catalog.unusable.items()} == {"flowers.keras": "upload", "vgg16.keras": "upload"}


def test_of_two_formats_the_newer_file_counts(folder: Path, uploads: Path) -> None:
    for number, name in enumerate(("a.keras", "a.h5")):
        (uploads / name).write_bytes(b"x")
        os.utime(uploads / name, (7 + number, 7 + number))
    assert catalog_in(folder)["a"].file == uploads / "a.h5"
    os.utime(uploads / "a.keras", (9, 9))
    assert catalog_in(folder)["a"].file == uploads / "a.keras"


def test_a_file_that_is_being_checked_is_found_by_its_version_and_keeps_it(folder: Path, uploads: Path) -> None:
    (uploads / "a.keras").write_bytes(b"old")
    catalog = WatchedCatalog(folder.parent / "models.toml", folder)
    old = catalog.current()["a"]
    arrived = arrivals_folder(folder) / "first"
    arrived.mkdir()
    (arrived / "a.keras").write_bytes(b"new")
    new = UploadedModelsSource(ModelTables(), folder).entry_of(arrived / "a.keras")
    with pytest.raises(ModelChanged):
        catalog.entry("a", new.digest)
    arrived = arrived.rename(arrivals_folder(folder) / new.digest)
    assert catalog.entry("a", new.digest).file == arrived / "a.keras"
    assert catalog.entry("a", old.digest) == old
    assert catalog.current()["a"] == old
    with pytest.raises(ModelChanged):
        catalog.entry("b", new.digest)
    (arrived / "a.keras").replace(uploads / "a.keras")
    placed = catalog.current()["a"]
    assert (placed.digest, placed.file) == (new.digest, uploads / "a.keras")


def test_a_file_that_is_being_received_changes_nothing(folder: Path, uploads: Path) -> None:
    catalog = WatchedCatalog(folder.parent / "models.toml", folder)
    before = catalog.current()
    (arrivals_folder(folder) / "first").mkdir()
    (arrivals_folder(folder) / "first" / "a.keras").write_bytes(b"x")
    assert catalog.current() is before
    (uploads / "a.keras").write_bytes(b"x")
    assert "a" in catalog.current()
    (uploads / "a.keras").unlink()
    assert "a" not in catalog.current()
