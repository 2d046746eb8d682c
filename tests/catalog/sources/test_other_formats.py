"""Files and folders that hold no whole model are listed as unusable, with a way out. tests/workers/models/loaders tries the ways out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.catalog.make_catalog import catalog_in


@pytest.mark.parametrize(
    ("names", "listed", "words"),
    [
        (["a.weights.h5"], "a.weights.h5", "holds weights alone"),
        (["flowers/saved_model.pb"], "flowers", r"exported to be served.*model\.save\('flowers\.keras'\)"),
        (["flowers/saved_model.pb", "flowers/keras_metadata.pb"], "flowers", r"load_model\('flowers'\)\.save\('flowers\.h5'\)"),
    ],
)
def test_it_is_unusable_and_spoils_no_other(folder: Path, names: list[str], listed: str, words: str) -> None:
    for name in [*names, "good.keras", "other/notes.txt"]:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    catalog = catalog_in(folder)
    assert "good" in catalog
    assert list(catalog.unusable) == [listed]
    with pytest.raises(Exception, match=words):
        catalog.entry(listed)


def test_weights_that_a_table_names_are_used(folder: Path) -> None:
    (folder / "a.weights.h5").write_bytes(b"x")
    catalog = catalog_in(folder, '[mine]\narchitecture = "vgg16"\nweights = "a.weights.h5"\n')
    assert (catalog["mine"].weights, dict(catalog.unusable)) == (folder / "a.weights.h5", {})
