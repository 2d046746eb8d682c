"""Load models. Each source of `catalog/sources` has one module and one `SourceLoader` class here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from catalog.sources import MODEL_SOURCES
from schemas.models import ModelSourceName
from workers.models.loaders.base import SourceLoader
from workers.models.loaders.builtin import BuiltInLoader
from workers.models.loaders.keras_applications import KerasApplicationsLoader
from workers.models.loaders.models_folder import ModelsFolderLoader, UploadedModelsLoader
from workers.models.loaders.onnx_files import OnnxLoader
from workers.models.loaders.tflite_files import TfliteLoader


def loaders_by_source(sources: Iterable[ModelSourceName], loaders: Iterable[SourceLoader]) -> Mapping[ModelSourceName, SourceLoader]:
    """Return the loader of each source.

    Raises:
        RuntimeError: a source has no loader or two, or a loader has no source.
    """
    found: dict[ModelSourceName, SourceLoader] = {}
    for loader in loaders:
        if loader.source in found:
            raise RuntimeError(f"The source '{loader.source}' has two loaders.")
        found[loader.source] = loader
    names = set(sources)
    if missing := sorted(names - set(found)):
        raise RuntimeError(f"These sources of models have no loader in workers/models/loaders: {', '.join(missing)}.")
    if unknown := sorted(set(found) - names):
        raise RuntimeError(f"These loaders have no source in catalog/sources: {', '.join(unknown)}.")
    return MappingProxyType(found)


MODEL_LOADERS = loaders_by_source(
    [source.name for source in MODEL_SOURCES],
    [BuiltInLoader(), KerasApplicationsLoader(), ModelsFolderLoader(), OnnxLoader(), TfliteLoader(), UploadedModelsLoader()],
)
