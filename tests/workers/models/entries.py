"""Make catalogue entries for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from catalog.entry import CatalogEntry
from schemas.models import Preprocessing

FIXTURES = Path(__file__).parent / "fixtures"


def file_entry(file: Path, **changes: Any) -> CatalogEntry:
    """Return the entry that the catalogue makes for a model file without a side file, with some fields changed."""
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
    """Return an entry of `keras_applications` with random weights, with some fields changed."""
    fields: dict[str, Any] = {"source": "keras_applications", "architecture": architecture, "weights": "random"}
    return file_entry(Path(architecture), **{**fields, **changes}).model_copy(update={"file": None})
