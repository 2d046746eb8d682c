"""Catalogue entries for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.entry import CatalogEntry
from schemas.models import Preprocessing

FIXTURES = Path(__file__).parent / "fixtures"


def file_entry(file: Path, **changes: Any) -> CatalogEntry:
    """The entry of a model file, as the catalogue makes it of a file without a side file."""
    fields: dict[str, Any] = {
        "name": file.stem,
        "source": "file",
        "title": file.name,
        "architecture": None,
        "file": file,
        "weights": None,
        "input_size": None,
        "preprocessing": Preprocessing(),
        "labels": None,
        "default_layer": None,
        "digest": "1",
    }
    return CatalogEntry(**{**fields, **changes})


def application_entry(architecture: str, **changes: Any) -> CatalogEntry:
    """An entry of `keras_applications` with random weights."""
    fields: dict[str, Any] = {"source": "keras_applications", "architecture": architecture, "weights": "random"}
    return file_entry(Path(architecture), **{**fields, **changes}).model_copy(update={"file": None})
