"""Read the operator's TOML files: `models.toml`, and the file `NAME.toml` beside a model file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from catalog.errors import CatalogError
from catalog.model_settings import ModelSettings
from catalog.unusable import printable
from schemas.models import MODEL_NAME_PATTERN, ModelName


@dataclass(frozen=True)
class ModelTables:
    """The tables of `models.toml` as they stand in the file, by the model's name. They are checked one by one, with `settings_of`."""

    file_name: str = "models.toml"
    tables: Mapping[str, object] = field(default_factory=dict[str, object])

    def settings_of(self, name: str) -> ModelSettings:
        """Return the settings in the table `[name]`.

        Raises:
            CatalogError: the table has a wrong field, or its name cannot be a model's name.
        """
        check_model_name(name, self.file_name)
        return _checked(self.tables[name], f"{self.file_name}: [{name}]")


def read_models_toml(path: Path) -> ModelTables:
    """Return the tables of `models.toml`; none if there is no such file.

    Example: the file `[vgg16]` with the line `weights = "random"` gives `ModelTables("models.toml", {"vgg16": {"weights": "random"}})`.

    Raises:
        CatalogError: the file cannot be read or is not valid TOML, so none of its tables is known.
    """
    return ModelTables(path.name, _read_toml(path) if path.is_file() else {})


def read_side_file(path: Path) -> ModelSettings:
    """Return the settings in the TOML file beside a model file; the defaults if there is no such file.

    Raises:
        CatalogError: the file is not valid TOML, has a wrong field, or sets what a model file already fixes.
    """
    if not path.is_file():
        return ModelSettings()
    settings = _checked(_read_toml(path), printable(path.name))
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
        raise CatalogError(
            f"{printable(file_name)}: '{printable(name)}' cannot be a model's name. A name must match {MODEL_NAME_PATTERN}."
        ) from error


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CatalogError(f"{printable(path.name)}: {error}") from error
    except OSError as error:
        raise CatalogError(f"{printable(path.name)} cannot be read: {error.strerror}.") from error


def _checked(table: object, where: str) -> ModelSettings:
    try:
        return ModelSettings.model_validate(table)
    except ValidationError as error:
        problems = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}".removeprefix(": ") for each in error.errors(include_url=False))
        raise CatalogError(f"{where}: {'; '.join(problems)}.") from error
