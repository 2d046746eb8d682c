"""Repeat a caller's value in an error text, cut to a bounded length."""

from __future__ import annotations

import json

_MAX_CHARACTERS = 120


def echo(value: object) -> str:
    """Return text as it is and any other value as JSON, cut to 120 characters."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}…"
