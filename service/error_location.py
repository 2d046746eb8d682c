"""Find where pydantic's errors lie in a value, and choose the branch of each union that the caller meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from pydantic_core import ErrorDetails

Path = tuple[str, ...]
_Union = tuple[int | str, ...]  # the part of an error's `loc` before the name of the branch


@dataclass(frozen=True)
class LocatedError:
    """An error, its place in the value, and the branch that it belongs to at each union on the way there."""

    details: ErrorDetails
    path: Path
    branches: Mapping[_Union, str]


def path_in(value: object, details: ErrorDetails) -> Path:
    """Return the error's place in `value`: its `loc` without the names that pydantic gives to the branches of a union."""
    return _located(value, details).path


def errors_by_path(errors: Iterable[ErrorDetails], value: object) -> dict[Path, list[ErrorDetails]]:
    """Return the errors by their place in `value`; several at one place are alternatives of a union.

    pydantic reports every branch of a union. The branch that got furthest into the value is the one that the caller meant. If several
    got equally far, the places that all of them report are kept.

    Example:
        For `{"size": [1, "x"]}` and a field of type `int | tuple[int, int]`, this keeps the error at `("size", "1")`.
    """
    located = [_located(value, details) for details in errors]
    paths: dict[_Union, dict[str, set[Path]]] = {}
    for error in located:
        for union, branch in error.branches.items():
            paths.setdefault(union, {}).setdefault(branch, set()).add(error.path)
    meant = {union: _meant(branches) for union, branches in paths.items()}
    kept: dict[Path, list[ErrorDetails]] = {}
    for error in located:
        if all(error.path in meant[union].get(branch, ()) for union, branch in error.branches.items()):
            kept.setdefault(error.path, []).append(error.details)
    # A list whose items are wrong is also reported as too short.
    outer = {path[:length] for path in kept for length in range(len(path))}
    return {path: group for path, group in kept.items() if path not in outer}


def _meant(branches: Mapping[str, set[Path]]) -> dict[str, set[Path]]:
    """Return the branches that got furthest, with the paths to keep of each."""
    depths = {branch: max(map(len, paths)) for branch, paths in branches.items()}
    furthest = {branch: paths for branch, paths in branches.items() if depths[branch] == max(depths.values())}
    first, *others = furthest.values()
    common = first.intersection(*others)
    return {branch: common or paths for branch, paths in furthest.items()}


def _located(value: object, details: ErrorDetails) -> LocatedError:
    path: list[str] = []
    branches: dict[_Union, str] = {}
    last = len(details["loc"]) - 1
    for position, key in enumerate(details["loc"]):
        if isinstance(value, dict) and key in (mapping := cast("dict[object, object]", value)):
            value = mapping[key]
        elif isinstance(value, list | tuple) and isinstance(key, int) and key < len(sequence := cast("Sequence[object]", value)):
            value = sequence[key]
        elif not (position == last and details["type"] == "missing"):
            branches[details["loc"][:position]] = str(key)
            continue
        path.append(str(key))
    return LocatedError(details, tuple(path), branches)
