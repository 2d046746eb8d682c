"""Refuse a number that exceeds a limit of the service."""

from __future__ import annotations

from schemas.errors import LimitExceeded


def check_limit(name: str, value: int, limit: int, pointer: str) -> None:
    """Do nothing if `value` is at most `limit`.

    Args:
        name: What is limited, in words that follow "The" in the error's text.
        value: The number asked for.
        limit: The largest number allowed.
        pointer: The JSON pointer of the parameter that decides it.

    Raises:
        LimitExceeded: `value` is larger than `limit`.
    """
    if value > limit:
        raise LimitExceeded(
            f"The {name} may be at most {limit:,}, but got {value:,}.", pointer=pointer, allowed=f"at most {limit}", got=str(value)
        )
