"""The catalogue changes when the files on disk change."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from catalog.catalog import Catalog, build_catalog
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


def test_a_new_file_is_a_new_model_and_a_wrong_one_spoils_itself_only(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    catalog = WatchedCatalog(folder.parent / "models.toml", folder)
    assert "trees" not in catalog.current()
    (folder / "trees.h5").write_bytes(b"t")
    assert catalog.current()["trees"].source == "file"
    (folder / "trees.toml").write_text("title = ")
    (folder / "ferns.h5").write_bytes(b"t")
    now = catalog.current()
    assert ("trees" in now, "trees" in now.unusable, "ferns" in now) == (False, True, True)
    assert catalog.current() is now
    assert caplog.text.count("Model 'trees' cannot be used. trees.toml: ") == 1
    (folder / "trees.toml").write_text('title = "Trees"')
    assert catalog.current()["trees"].title == "Trees"


def test_the_last_good_models_toml_stays_in_force_and_the_folder_still_changes(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    models_file = folder.parent / "models.toml"
    models_file.write_text('[vgg16]\ntitle = "Mine"\n')
    catalog = WatchedCatalog(models_file, folder)
    models_file.write_text("[vgg16\n")
    (folder / "trees.h5").write_bytes(b"t")
    assert (catalog.current()["vgg16"].title, "trees" in catalog.current()) == ("Mine", True)
    assert "its last good tables stay in force" in caplog.text
    models_file.write_text('[vgg16]\ntitle = "Other"\n')
    assert catalog.current()["vgg16"].title == "Other"


def test_many_threads_see_a_change_at_once_and_read_it_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalog = WatchedCatalog(folder.parent / "models.toml", folder)
    catalog.current()
    builds: list[object] = []

    begun = threading.Barrier(8)

    def build(*arguments: Any) -> Catalog:
        builds.append(arguments)
        return build_catalog(*arguments)

    def look() -> Catalog:
        begun.wait(30)
        return catalog.current()

    monkeypatch.setattr("catalog.watched_catalog.build_catalog", build)
    (folder / "trees.h5").write_bytes(b"t")
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: look(), range(8)))
    assert len(builds) == 1
    assert all("trees" in each for each in found)


def test_a_suffix_in_capitals_makes_a_model_too(folder: Path) -> None:
    (folder / "trees.KERAS").write_bytes(b"t")
    (folder / "own.WEIGHTS.H5").write_bytes(b"w")
    catalog = WatchedCatalog(folder.parent / "models.toml", folder).current()
    assert catalog["trees"].file == (folder / "trees.KERAS").resolve()
    assert not any(name.startswith("own") for name in catalog)
