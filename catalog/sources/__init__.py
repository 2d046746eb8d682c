"""List models. Each source of models has one module and one `ModelSource` class here."""

from __future__ import annotations

from catalog.sources.base import ModelSource
from catalog.sources.builtin import BuiltInSource
from catalog.sources.forward_only_files import OnnxSource, TfliteSource
from catalog.sources.keras_applications import KerasApplicationsSource
from catalog.sources.models_folder import ModelsFolderSource
from catalog.sources.uploaded_models import UploadedModelsSource

# A later source may not list a name of an earlier one, unless it says `replaces_entries`.
MODEL_SOURCES: tuple[type[ModelSource], ...] = (
    BuiltInSource,
    KerasApplicationsSource,
    ModelsFolderSource,
    OnnxSource,
    TfliteSource,
    UploadedModelsSource,  # the last one, so that a name stays with the operator's own model
)
