"""Modules in place of ones that a peer imports and does not use for what is compared here."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


class _Nothing(type):
    """A class that has every attribute, each a class like it; what is made of it has none."""

    def __getattr__(cls, name: str) -> Any:
        return _nothing(name)

    def __call__(cls, *given: Any, **named: Any) -> Any:
        return object.__new__(cls)


def _nothing(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Nothing(name, (), {})


class StandIn(ModuleType):
    """Anything can be imported from it."""

    def __getattr__(self, name: str) -> Any:
        return _nothing(name)


class _Finder(MetaPathFinder, Loader):
    def __init__(self, packages: Sequence[str]) -> None:
        self._packages = packages

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, is_package=True) if fullname.partition(".")[0] in self._packages else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """A stand-in has no code."""


@contextmanager
def stand_ins(*packages: str) -> Iterator[None]:
    """While it lasts, `packages` and all below them can be imported whether they are installed or not; afterwards they are gone
    again, but for who imported them."""
    finder = _Finder(packages)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name, module in sys.modules.items() if isinstance(module, StandIn)]:
            del sys.modules[name]
