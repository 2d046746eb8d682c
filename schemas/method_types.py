"""Make types from the registry of methods, for the models of requests and of jobs."""

# pyright: reportInvalidTypeForm=false
# These functions build types at run time, which no type checker can follow.
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Union

from pydantic import BaseModel


def literal(name: str) -> Any:
    """Return the type whose only value is `name`."""
    return Literal[name]


def optional(kind: type[BaseModel]) -> Any:
    """Return the type of a `kind` that may be null."""
    return kind | None


def union(classes: Mapping[str, type[BaseModel]]) -> Any:
    """Return the union of the classes of all methods."""
    return Union[tuple(classes.values())]  # noqa: UP007 - the members are known at run time only


def class_title(method: str) -> str:
    """Return a method's name in the form of a class name, for example `GradCam` for `grad_cam`."""
    return "".join(word.capitalize() for word in method.split("_"))
