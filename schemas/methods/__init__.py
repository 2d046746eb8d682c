"""Every method's parameters, found by folder: a module here with a `MethodParams` subclass that has a `card` is a method."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType

from schemas.errors import UnknownMethod, nearest_names
from schemas.methods.base import MethodParams


def _discover() -> Mapping[str, type[MethodParams]]:
    found: dict[str, type[MethodParams]] = {}
    for module_info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for value in vars(module).values():
            if not (isinstance(value, type) and issubclass(value, MethodParams) and "card" in vars(value)):
                continue
            if value.__module__ != module.__name__:
                continue
            name = value.card.name
            if name in found:
                raise RuntimeError(f"method '{name}' is declared twice: {found[name].__module__} and {value.__module__}")
            found[name] = value
    return MappingProxyType(found)


METHODS: Mapping[str, type[MethodParams]] = _discover()


def params_class(method: str) -> type[MethodParams]:
    """The parameter model of `method`; `UnknownMethod` with the nearest names where there is none."""
    try:
        return METHODS[method]
    except KeyError:
        nearest = nearest_names(method, METHODS)
        hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
        raise UnknownMethod(
            f"There is no method '{method}'.{hint} See /v1/methods.", pointer="/method", got=method, nearest=nearest
        ) from None
