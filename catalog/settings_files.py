"""Read the operator's TOML files: `models.toml`, and the file `NAME.toml` beside a model file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from catalog.errors import CatalogError
from catalog.model_settings import ModelSettings
from schemas.models import MODEL_NAME_PATTERN, ModelName

_Settings = TypeVar("_Settings")


def read_models_toml(path: Path) -> dict[str, ModelSettings]:
    """Return the settings of each model in `models.toml`, by the model's name; none if there is no such file.

    Example: the table `[vgg16]` with the line `weights = "random"` gives `{"vgg16": ModelSettings(weights="random")}`.

    Raises:
        CatalogError: the file is not valid TOML, a table has a wrong field, or its name cannot be a model's name.
    """
    if not path.is_file():
        return {}
    tables = _read_toml(path, TypeAdapter(dict[str, ModelSettings]))
    for name in tables:
        check_model_name(name, path.name)
    return tables


def read_side_file(path: Path) -> ModelSettings:
    """Return the settings in the TOML file beside a model file; the defaults if there is no such file.

    Raises:
        CatalogError: the file is not valid TOML, has a wrong field, or sets what a model file already fixes.
    """
    if not path.is_file():
        return ModelSettings()
    settings = _read_toml(path, TypeAdapter(ModelSettings))
    if settings.architecture or settings.weights:
        raise CatalogError(
            f"{path.name} sets architecture or weights, but a model file has its own. These settings are allowed in models.toml only."
        )
    return settings


def check_model_name(name: str, file_name: str) -> None:
    """Raise `CatalogError` if `name`, which was found in the file `file_name`, cannot be a model's name."""
    try:
        TypeAdapter(ModelName).validate_python(name)
    except ValidationError as error:
        raise CatalogError(f"{file_name}: '{name}' cannot be a model's name. A name must match {MODEL_NAME_PATTERN}.") from error


def _read_toml(path: Path, adapter: TypeAdapter[_Settings]) -> _Settings:
    try:
        return adapter.validate_python(tomllib.loads(path.read_text("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise CatalogError(f"{path.name}: {error}") from error
