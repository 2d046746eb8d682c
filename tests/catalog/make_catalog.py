"""Load a catalogue for a test."""

from __future__ import annotations

from pathlib import Path

from catalog.catalog import Catalog, load_catalog


def catalog_in(folder: Path, toml: str = "") -> Catalog:
    """Return the catalogue of a models folder, with `toml` as the text of models.toml."""
    models_file = folder.parent / "models.toml"
    models_file.write_text(toml)
    return load_catalog(models_file, folder)
