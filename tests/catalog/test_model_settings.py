"""The digest of an entry changes when its settings or its files change."""

from __future__ import annotations

import os
from pathlib import Path

from tests.catalog.make_catalog import catalog_in


def test_the_digest_changes_with_settings_and_files(folder: Path) -> None:
    model = folder / "a.keras"
    model.write_bytes(b"1")
    (folder / "w.h5").write_bytes(b"1")
    toml = '[mine]\narchitecture = "vgg16"\nweights = "w.h5"\n'
    first = catalog_in(folder, toml)
    assert catalog_in(folder, toml)["a"].digest == first["a"].digest
    model.write_bytes(b"2")
    os.utime(model, ns=(5, 5))
    os.utime(folder / "w.h5", ns=(5, 5))
    second = catalog_in(folder, toml)
    assert second["a"].digest != first["a"].digest
    assert second["mine"].digest != first["mine"].digest
    assert second["vgg16"].digest == first["vgg16"].digest
    (folder / "a.toml").write_text('title = "other"\n')
    assert catalog_in(folder, toml)["a"].digest != second["a"].digest


def test_the_digest_changes_with_the_labels_file(folder: Path) -> None:
    (folder / "a.keras").write_bytes(b"1")
    (folder / "a.toml").write_text('labels = "names.txt"\n')
    toml = '[vgg16]\nlabels = "names.txt"\n'
    before = catalog_in(folder, toml)
    (folder / "names.txt").write_text("cat\ndog\nfox\n")
    after = catalog_in(folder, toml)
    assert [name for name in after if after[name].digest != before[name].digest] == ["vgg16", "a"]
