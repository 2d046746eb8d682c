"""The value of an argument that the caller leaves to the service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ServiceDefault:
    """The class of `DEFAULT`. The service's own default applies, which a preset of the method may change."""

    def __repr__(self) -> str:
        return "DEFAULT"


DEFAULT: Any = ServiceDefault()


def given_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments that the caller gave, without `self`."""
    return {name: value for name, value in arguments.items() if name != "self" and value is not DEFAULT}
