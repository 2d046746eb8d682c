"""Read the text fields of a one-line form. Each field takes its type from the method's parameter model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any

from pydantic import JsonValue, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import from_json

from schemas.errors import FieldError
from schemas.methods import METHODS
from schemas.methods.base import MethodParams
from service.error_location import path_in
from service.one_line_forms import ONE_LINE_FORMS, OneLineForm, form_base
from service.validation_errors import check_extent, invalid_parameters, unknown_field, validated

_LIST_TYPES = {"list_type", "tuple_type"}
_LIST_LENGTHS = {"too_short", "too_long"}


def read_form_fields(method: str, fields: Iterable[tuple[str, str]]) -> tuple[OneLineForm, MethodParams]:
    """Return a form's own fields and the method's parameters.

    A field that is repeated or holds commas is read as a list where the parameter takes one. An empty field counts as left out,
    because browsers send a field that way when nobody has filled it in.

    Example:
        `read_form_fields("grad_cam", [("model", "vgg16"), ("class_index", "281,282")])`

    Raises:
        InvalidParameters: it reports every wrong field, by pointers to the form's fields such as `/class_index`.
        LimitExceeded: a field holds more than 20,000 values.
    """
    adapters, errors, texts = _adapters(method), list[FieldError](), dict[str, list[str]]()
    for name, text in fields:
        if text or name not in adapters:
            texts.setdefault(name, []).append(text)
    values: dict[str, JsonValue] = {}
    for name, given in texts.items():
        if name not in adapters:
            errors.append(unknown_field(name, f"/{name}", list(ONE_LINE_FORMS[method].model_fields)))
        else:
            values[name] = _one_value(name, given[0], adapters[name]) if len(given) == 1 else _list(name, given, adapters[name], errors)
    base = form_base(METHODS[method])
    common = {name: values.pop(name) for name in base.model_fields if name in values}
    form = validated(base, common, "", errors)
    params = validated(METHODS[method], values, "", errors)
    if form is None or params is None or errors:
        first_by_field = {error.pointer: error for error in reversed(errors)}
        raise invalid_parameters([*reversed(first_by_field.values())])
    return form, params


@cache
def _adapters(method: str) -> Mapping[str, TypeAdapter[Any]]:
    fields = form_base(METHODS[method]).model_fields | METHODS[method].model_fields
    return {name: TypeAdapter(_type_of(field)) for name, field in fields.items()}


def _type_of(field: FieldInfo) -> Any:
    return Annotated[field.annotation, field]  # pyright: ignore[reportInvalidTypeForm] - a type made at run time


def _one_value(name: str, text: str, adapter: TypeAdapter[Any]) -> JsonValue:
    """Return the first reading of `text` that the field accepts: JSON, a list by commas, plain text.

    If the field accepts none of them, return the one that got furthest, so that its error names the place that is wrong.
    """
    readings: list[JsonValue] = [text]
    if "," in text:
        items = [item.strip() for item in text.split(",")]
        # A label may hold a comma and a space: "tabby, tabby cat" is one label.
        one_label = re.search(r",\s", text) is not None and not all(map(_is_number, items))
        readings.insert(1 if one_label else 0, [*items])
    try:
        value: JsonValue = from_json(text)
    except ValueError:
        pass
    else:
        check_extent(value, f"/{name}")
        # JSON is read strictly, so that `true` is not taken for the class index 1.
        if _failure(adapter, value, json=text) is None:
            return value
        if isinstance(value, dict):
            return value  # it is no plain text, and its own error says what is wrong in it
        if isinstance(value, list):
            readings.insert(0, value)
    progress: list[int] = []
    for reading in readings:
        check_extent(reading, f"/{name}")
        if (failure := _failure(adapter, reading)) is None:
            return reading
        progress.append(_progress(failure, reading))
        if reading is text and max(progress) == 0 and {details["type"] for details in failure.errors()} <= _LIST_TYPES:
            return [text]
    furthest = max(progress)
    return text if furthest == 0 else readings[progress.index(furthest)]


def _list(name: str, texts: Sequence[str], adapter: TypeAdapter[Any], errors: list[FieldError]) -> JsonValue:
    """Return the texts of a repeated field as a list. If the field takes no list, append that to `errors` and return the first."""
    values: list[JsonValue] = [*texts]
    check_extent(values, f"/{name}")
    failure = _failure(adapter, values)
    if failure is None or _progress(failure, values) > 0:
        return values
    count = len(texts)
    errors.append(
        FieldError(pointer=f"/{name}", detail=f"{name} is given {count} times; once is allowed.", allowed="once", got=f"{count} times")
    )
    return _one_value(name, texts[0], adapter)


def _failure(adapter: TypeAdapter[Any], value: JsonValue, json: str | None = None) -> ValidationError | None:
    """Return why the field does not accept `value`, or, if it is given, the text `json` read strictly; None if it does."""
    try:
        if json is None:
            adapter.validate_python(value)
        else:
            adapter.validate_json(json, strict=True)
    except ValidationError as error:
        return error
    return None


def _progress(failure: ValidationError, value: JsonValue) -> int:
    """Return how far the field's type followed `value`: 0 if it does not take such a value at all."""
    return max(2 * len(path_in(value, details)) + (details["type"] in _LIST_LENGTHS) for details in failure.errors(include_url=False))


def _is_number(text: str) -> bool:
    return re.fullmatch(r"[+-]?\d+(\.\d+)?", text) is not None
