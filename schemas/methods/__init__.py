"""The registry of methods: every class below this package that is a `MethodParams` with a `card` of its own is a method."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from schemas.errors import UnknownMethod
from schemas.methods.base import MethodParams
from schemas.methods.card import FAMILY_TITLES, Family
from schemas.nearest_names import nearest_hint, nearest_names


def _discover() -> Mapping[str, type[MethodParams]]:
    found: dict[str, type[MethodParams]] = {}
    for module_info in sorted(pkgutil.walk_packages(__path__, f"{__name__}."), key=lambda info: info.name):
        module = importlib.import_module(module_info.name)
        for value in vars(module).values():
            if not (isinstance(value, type) and issubclass(value, MethodParams) and "card" in vars(value)):
                continue
            if value.__module__ != module.__name__:
                continue
            name = value.card.name
            if name in found:
                raise RuntimeError(f"method '{name}' is declared twice: {found[name].__module__} and {value.__module__}")
            found[name] = value
    return MappingProxyType(dict(sorted(found.items())))


METHODS: Mapping[str, type[MethodParams]] = _discover()


def family_of(method: str) -> Family:
    """Return the family of `method`, which must be one of `METHODS`: the folder that its module is in."""
    folder = METHODS[method].__module__.split(".")[2]
    return next(family for family in FAMILY_TITLES if family == folder)


def params_class(method: str) -> type[MethodParams]:
    """Return the parameter model of `method`.

    Raises:
        UnknownMethod: There is no such method. The error names similar ones.
    """
    try:
        return METHODS[method]
    except KeyError:
        nearest = nearest_names(method, METHODS)
        raise UnknownMethod(
            f"There is no method '{method}'.{nearest_hint(nearest)} See /v1/methods.", pointer="/method", got=method, nearest=nearest
        ) from None
