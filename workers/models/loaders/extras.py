"""The packages that run the files of a format, and how to install them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping

from catalog.catalog import Catalog
from catalog.entry import CatalogEntry
from schemas.errors import ModelLoadFailed
from schemas.models import ModelSourceName, UnloadableModel

# The extra of convscope has the name of the source.
MODULES: Mapping[ModelSourceName, tuple[str, ...]] = {"onnx": ("onnx", "onnxruntime"), "tflite": ("ai_edge_litert",)}


def check_extra(entry: CatalogEntry) -> None:
    """Check that the packages which run the file of an entry are installed.

    Raises:
        ModelLoadFailed: a package is missing; the error gives the command that installs it.
    """
    if reason := _why_missing(entry):
        raise ModelLoadFailed(reason)


def without_extra(catalog: Catalog) -> Iterator[UnloadableModel]:
    """Yield each model of the catalogue whose packages are missing here, with the command that installs them."""
    for name, entry in catalog.items():
        if reason := _why_missing(entry):
            yield UnloadableModel(name=name, digest=entry.digest, reason=reason)


def _why_missing(entry: CatalogEntry) -> str | None:
    missing = [module for module in MODULES.get(entry.source, ()) if importlib.util.find_spec(module) is None]
    if not missing:
        return None
    return (
        f"{entry.title} needs {' and '.join(missing)}, which the worker does not have. Install the extra where the workers run, "
        f"`pip install 'convscope[{entry.source}]'`, and start them again."
    )
