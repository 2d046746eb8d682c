"""The models of `keras.applications`, and the models of these architectures that `models.toml` adds or changes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from catalog.entry import CatalogEntry
from catalog.errors import CatalogError
from catalog.keras_architectures import KERAS_APPLICATIONS
from catalog.model_settings import ModelSettings, labels_inside, path_inside
from catalog.sources.base import ModelSource
from catalog.unusable import UnusableModel
from schemas.nearest_names import nearest_names


class KerasApplicationsSource(ModelSource):
    """List every architecture of `keras.applications` under its own name, and every table of `models.toml`."""

    name = "keras_applications"
    replaces_entries = True  # an operator may give the name of a built-in model to another model

    def entries(self) -> Iterator[CatalogEntry | UnusableModel]:
        for name in {**KERAS_APPLICATIONS, **self._models_toml.tables}:
            try:
                yield self._entry(name, self._models_toml.settings_of(name) if name in self._models_toml.tables else ModelSettings())
            except (CatalogError, OSError) as error:
                yield self.unusable(name, f"[{name}] of {self._models_toml.file_name}", error)

    def _entry(self, name: str, settings: ModelSettings) -> CatalogEntry:
        architecture = settings.architecture or name
        if architecture not in KERAS_APPLICATIONS:
            nearest = ", ".join(nearest_names(architecture, KERAS_APPLICATIONS)) or "see keras.io/api/applications"
            raise CatalogError(
                f"{self._models_toml.file_name}: [{name}] names the architecture '{architecture}', "
                f"which keras_applications does not have (nearest: {nearest})."
            )
        if settings.layout is not None:
            raise CatalogError(
                f"{self._models_toml.file_name}: [{name}] sets layout, which is allowed beside .onnx and .tflite files only."
            )
        if "longest_side" in settings.model_fields_set:
            raise CatalogError(
                f"{self._models_toml.file_name}: [{name}] sets longest_side, which is allowed beside model files only. A model of "
                "keras_applications has one size: set input_size."
            )
        class_name, side, mode = KERAS_APPLICATIONS[architecture]
        weights: str | Path = settings.weights or "imagenet"
        if weights not in ("imagenet", "random"):
            weights = path_inside(self._models_dir, str(weights), name)
        labels = labels_inside(self._models_dir, settings.labels or ("imagenet" if weights == "imagenet" else None), name)
        return CatalogEntry(
            name=name,
            source=self.name,
            title=settings.title or class_name,
            architecture=architecture,
            file=None,
            weights=weights,
            input_size=settings.input_size or (side, side),
            preprocessing=settings.preprocessing_or(mode),
            labels=labels,
            default_layer=settings.default_layer,
            head=settings.head,
            input=settings.input,
            inputs=settings.inputs,
            digest=settings.digest(weights, labels),
        )
