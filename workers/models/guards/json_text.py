"""Check the size of a configuration, a JSON text, so that reading it in the worker takes little memory and time."""

from __future__ import annotations

import json
from typing import Any

from workers.models.guards.refusal import FileRefused, check_size

MAX_VALUES = 2_000_000
MAX_DEPTH = 200


def check_json(text: str | bytes, max_bytes: int) -> None:
    """Check the length of a JSON text, the number of its values and how deep they are nested.

    Raises:
        FileRefused: the text is not JSON, not an object that names a class, or beyond a limit.
    """
    check_size(len(text), max_bytes, "has a configuration of")
    try:
        root = json.loads(text)
    except RecursionError as error:
        raise FileRefused(f"has a configuration of too many levels; at most {MAX_DEPTH} are allowed.", allowed=MAX_DEPTH) from error
    except ValueError as error:
        raise FileRefused(f"has a configuration that is not valid JSON: {error}") from error
    if not isinstance(root, dict) or "class_name" not in root:
        raise FileRefused("has a configuration that names no model class.")
    _check_values(root)


def _check_values(root: Any) -> None:
    values, depth, level = 0, 0, [root]
    while level:
        values, depth = values + len(level), depth + 1
        if values > MAX_VALUES:
            raise FileRefused(
                f"has a configuration of more than {MAX_VALUES} values; at most {MAX_VALUES} are allowed.", allowed=MAX_VALUES
            )
        if depth > MAX_DEPTH:
            raise FileRefused(f"has a configuration of more than {MAX_DEPTH} levels; at most {MAX_DEPTH} are allowed.", allowed=MAX_DEPTH)
        level = [child for value in level for child in _children(value)]


def _children(value: Any) -> Any:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
