"""Read the parameters of a method from the command line."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NoReturn

from convscope.cli.failing import CommandError

# These are arguments of the client beside the parameters of a method.
_OTHER_ARGUMENTS = frozenset(
    {"fresh", "idempotency_key", "image", "images", "method", "model", "model_inputs", "priority", "timeout", "wait"}
)


def read_parameters(texts: Iterable[str]) -> dict[str, Any]:
    """Return the parameters that are written as `name=value`. A value that is JSON is read as JSON, and any other one as text.

    Raises:
        CommandError: a text has no name or no equals sign, or a name occurs twice or is no name of a parameter.
    """
    parameters: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip()
        if not equals or not name.isidentifier():
            raise CommandError(f"A parameter is written as name=value, such as class_index=285; got '{text}'.")
        if name in _OTHER_ARGUMENTS:
            raise CommandError(f"'{name}' is not a parameter of a method, so -p cannot set it.")
        if name in parameters:
            raise CommandError(f"The parameter '{name}' is given twice.")
        parameters[name] = _value(value)
    return parameters


def _value(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON.")
