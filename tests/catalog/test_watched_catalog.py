"""The catalogue changes when the files on disk change."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from catalog.catalog import Catalog, build_catalog, load_catalog
from catalog.watched_catalog import WatchedCatalog
from schemas.errors import ModelChanged, UnknownModel


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


def _rewritten_unseen(file: Path, content: bytes) -> None:
    """Replace the content of `file` by as many other bytes, at the same modification time, as a coarse clock does."""
    before = file.stat()
    assert len(content) == before.st_size
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_the_version_of_a_request_is_looked_for_again_before_it_is_refused(folder: Path) -> None:
    catalog = WatchedCatalog(folder.parent / "models.toml", folder)
    old = catalog.entry("flowers", "")
    assert catalog.entry("flowers", old.digest) == old
    _rewritten_unseen(folder / "flowers.toml", b'labels = "names/flowerz.txt"\n')
    assert catalog.current()["flowers"] == old, "nothing shows the change"
    new = load_catalog(folder.parent / "models.toml", folder)["flowers"]
    assert catalog.entry("flowers", new.digest) == new
    with pytest.raises(ModelChanged, match="'flowers' has another version on the worker than the one that this request was checked"):
        catalog.entry("flowers", old.digest)


def test_a_model_that_only_the_service_has_is_not_called_unknown(folder: Path) -> None:
    catalog = WatchedCatalog(folder.parent / "models.toml", folder)
    with pytest.raises(ModelChanged, match="The service has model 'trees', and the worker does not have it yet") as raised:
        catalog.entry("trees", "0123456789abcdef")
    assert raised.value.retryable
    with pytest.raises(UnknownModel, match="There is no model 'trees'"):
        catalog.entry("trees", "")
    (folder / "trees.toml").write_text("title = ")
    (folder / "trees.h5").write_bytes(b"t")
    with pytest.raises(ModelChanged, match=r"'trees' cannot be used on the worker: trees\.toml: "):
        catalog.entry("trees", "0123456789abcdef")


def test_threads_that_miss_a_version_find_it_together(folder: Path) -> None:
    catalog = WatchedCatalog(folder.parent / "models.toml", folder)
    _rewritten_unseen(folder / "flowers.toml", b'labels = "names/flowerz.txt"\n')
    digest = load_catalog(folder.parent / "models.toml", folder)["flowers"].digest
    begun = threading.Barrier(8)

    def look() -> str:
        begun.wait(30)
        return catalog.entry("flowers", digest).digest

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda _: look(), range(8))) == [digest] * 8
