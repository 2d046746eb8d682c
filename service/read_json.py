"""Read a JSON text from a caller. Numbers that JSON does not have, `NaN` and `Infinity`, and numbers too large for a float are refused."""

from __future__ import annotations

import math
from typing import cast

from pydantic import JsonValue
from pydantic_core import from_json

from schemas.errors import MalformedBody
from service.validation_errors import check_extent_of_json


def read_json(body: bytes) -> JsonValue:
    """Return the value of a JSON text.

    Raises:
        LimitExceeded: the text holds very many values.
        MalformedBody: it is not JSON, or a number is not finite or has no finite float, as `1e999`.
    """
    check_extent_of_json(body)
    try:
        value = cast("JsonValue", from_json(body, allow_inf_nan=False))
    except ValueError as error:
        raise MalformedBody(f"The body is not valid JSON: {error}.") from None
    _check_numbers(value)
    return value


def _check_numbers(value: JsonValue) -> None:
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, float) and not math.isfinite(each):
            raise MalformedBody("A number of the body is too large: numbers lie between −1.8e308 and 1.8e308.", allowed="a finite number")
        if isinstance(each, dict | list):
            pending += each.values() if isinstance(each, dict) else each
