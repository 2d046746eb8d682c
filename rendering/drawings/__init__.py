"""The registry of drawings: every class in a module of this package that is a `Drawing` with a kind."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rendering.drawings.base import Drawing
from schemas.nearest_names import nearest_hint, nearest_names


class UnknownDrawing(Exception):
    """There is no drawing of this kind. A worker of a newer version may have described it."""


def _discover() -> Mapping[str, type[Drawing]]:
    found: dict[str, type[Drawing]] = {}
    for module_info in sorted(pkgutil.iter_modules(__path__, f"{__name__}."), key=lambda info: info.name):
        module = importlib.import_module(module_info.name)
        for value in vars(module).values():
            if not (isinstance(value, type) and issubclass(value, Drawing) and "kind" in value.model_fields):
                continue
            if value.__module__ != module.__name__:
                continue
            kind = value.model_fields["kind"].default
            if kind in found:
                raise RuntimeError(f"the drawing '{kind}' is declared twice: {found[kind].__module__} and {value.__module__}")
            found[kind] = value
    return MappingProxyType(dict(sorted(found.items())))


DRAWINGS: Mapping[str, type[Drawing]] = _discover()


def drawing_from(description: Mapping[str, Any]) -> Drawing:
    """Return the drawing that was stored as this JSON object.

    Raises:
        UnknownDrawing: There is no drawing of this kind. The error names similar ones.
        ValidationError: The options do not fit the kind.
    """
    kind = str(description.get("kind"))
    if kind not in DRAWINGS:
        raise UnknownDrawing(f"There is no drawing '{kind}'.{nearest_hint(nearest_names(kind, DRAWINGS))}")
    return DRAWINGS[kind].model_validate(description)
