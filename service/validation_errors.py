"""Turn what pydantic and FastAPI find wrong with a request into one `FieldError` per wrong field."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar, cast, get_args

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails
from typing_extensions import TypeAliasType

from schemas.errors import FieldError, InvalidParameters, LimitExceeded
from schemas.nearest_names import nearest_hint, nearest_names
from service.echo import echo
from service.error_location import errors_by_path

_M = TypeVar("_M", bound=BaseModel)
_MAX_VALUES = 20_000
_MAX_COMMAS = 10 * _MAX_VALUES
_MAX_DETAILS = 3
# The words for pydantic's error types; the names in braces come from the error's `ctx`. Other types keep pydantic's own message.
_ALLOWED: Mapping[str, str] = {
    "greater_than": "a number > {gt}",
    "greater_than_equal": "a number ≥ {ge}",
    "less_than": "a number < {lt}",
    "less_than_equal": "a number ≤ {le}",
    "multiple_of": "a multiple of {multiple_of}",
    "finite_number": "a finite number",
    **dict.fromkeys(("int_type", "int_parsing", "int_parsing_size", "int_from_float"), "an integer"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    "string_type": "text",
    "string_too_short": "text of {min_length} or more characters",
    "string_too_long": "text of up to {max_length} characters",
    "string_pattern_mismatch": "text that matches {pattern}",
    **dict.fromkeys(("list_type", "tuple_type"), "a list"),
    "too_short": "a list of {min_length} or more values",
    "too_long": "a list of up to {max_length} values",
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "an object"),
    "none_required": "null",
}


def validated(model: type[_M], value: object, prefix: str, errors: list[FieldError]) -> _M | None:
    """Return `value` as `model`. If it does not fit, append every wrong field to `errors` and return None.

    `prefix` is the JSON pointer of `value` in the request.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        errors += _field_errors(error.errors(include_url=False), value, model, prefix)
        return None


def invalid_parameters(errors: Sequence[FieldError]) -> InvalidParameters:
    """Return the error that reports all `errors`, of which there is at least one."""
    first, more = errors[0], len(errors) - _MAX_DETAILS
    detail = " ".join(error.detail for error in errors[:_MAX_DETAILS])
    return InvalidParameters(
        f"{detail} {more} more {'field is' if more == 1 else 'fields are'} wrong; see `errors`." if more > 0 else detail,
        pointer=first.pointer or None,
        allowed=first.allowed,
        got=first.got,
        nearest=first.nearest or (),
        errors=errors,
    )


def invalid_request(errors: Sequence[Mapping[str, Any]]) -> InvalidParameters:
    """Return the error that reports what FastAPI found wrong with query, header and path parameters."""
    groups: dict[tuple[str, str], list[ErrorDetails]] = {}
    for details in errors:
        where, name = (*(str(each) for each in details["loc"]), "")[:2]
        groups.setdefault((where, name), []).append(cast("ErrorDetails", details))
    return invalid_parameters(
        [_field_error(f"The {where} parameter '{name}'", f"/{name}", group, ()) for (where, name), group in groups.items()]
    )


def unknown_field(name: str, pointer: str, names: Sequence[str]) -> FieldError:
    """Return the error for a field `name` that does not exist beside the fields `names`."""
    nearest, allowed = nearest_names(name, names), ", ".join(names) or "nothing"
    return FieldError(
        pointer=pointer,
        detail=f"There is no field '{echo(name)}' here.{nearest_hint(nearest)} Allowed: {allowed}.",
        allowed=allowed,
        got=echo(name),
        nearest=nearest or None,
    )


def check_extent(value: JsonValue, pointer: str) -> None:
    """Refuse a value that holds very many values, before pydantic sees it: pydantic keeps a few hundred bytes for each wrong one.

    Raises:
        LimitExceeded: `value` holds more than 20,000 values.
    """
    pending, count = [value], 0
    while pending:
        each = pending.pop()
        inner = list(each.values()) if isinstance(each, dict) else each if isinstance(each, list) else []
        count += len(inner)
        if count > _MAX_VALUES:
            raise _too_many_values(pointer)
        pending += inner


def check_extent_of_json(text: bytes) -> None:
    """Refuse a JSON text that cannot hold as few values as allowed, before it is parsed: parsing millions of values stops all threads.

    A text holds more values than commas, apart from those inside strings, for which there is ample room.

    Raises:
        LimitExceeded: `text` holds more than 200,000 commas.
    """
    if text.count(b",") > _MAX_COMMAS:
        raise _too_many_values("")


def _too_many_values(pointer: str) -> LimitExceeded:
    return LimitExceeded(
        f"A request holds at most {_MAX_VALUES:,} values; got more.", pointer=pointer or None, allowed=f"at most {_MAX_VALUES}", got="more"
    )


def _field_errors(errors: Sequence[ErrorDetails], value: object, model: type[BaseModel], prefix: str) -> Iterator[FieldError]:
    for path, group in errors_by_path(errors, value).items():
        pointer = prefix + "".join("/" + echo(key).replace("~", "~0").replace("/", "~1") for key in path)
        yield _field_error(_name(path, prefix), pointer, group, _field_names(model, path[:-1]))


def _field_error(name: str, pointer: str, group: Sequence[ErrorDetails], names: Sequence[str]) -> FieldError:
    """Return one error for what the branches of a union report about one field. `names` are the fields that exist beside it."""
    messages = {details["type"]: details["msg"] for details in group}
    if set(messages) == {"extra_forbidden"}:
        return unknown_field(str(group[0]["loc"][-1]), pointer, names)
    if set(messages) == {"missing"}:
        return FieldError(pointer=pointer, detail=f"{name} is required.")
    if message := messages.get("value_error"):
        return FieldError(pointer=pointer, detail=f"{message.removeprefix('Value error, ').removesuffix('.')}.")
    got = echo(group[0]["input"])
    allowed = " or ".join(dict.fromkeys(map(_allowed, group)))
    nearest = nearest_names(got, [literal for details in group for literal in _literals(details)])
    detail = f"{name} must be {allowed}; got {got}.{nearest_hint(nearest)}"
    return FieldError(pointer=pointer, detail=detail, allowed=allowed, got=got, nearest=nearest or None)


def _name(path: Sequence[str], prefix: str) -> str:
    if not path:
        return prefix.rsplit("/", 1)[-1] or "The body"
    return echo(f"{path[-2]}[{path[-1]}]" if path[-1].isdigit() and len(path) > 1 else path[-1])


def _allowed(details: ErrorDetails) -> str:
    if literals := _literals(details):
        return f"one of {', '.join(literals)}" if len(literals) > 1 else literals[0]
    context = {name: f"{value:g}" if isinstance(value, float) else value for name, value in details.get("ctx", {}).items()}
    words = _ALLOWED.get(details["type"])
    return details["msg"].removeprefix("Input should be ") if words is None else words.format(**context)


def _literals(details: ErrorDetails) -> list[str]:
    """Return the values that a `Literal` or an enumeration allows; pydantic writes them as `'a', 'b' or 'c'`."""
    if details["type"] not in ("literal_error", "enum"):
        return []
    expected = str(details.get("ctx", {})["expected"])
    return re.findall(r"'([^']*)'", expected) or re.split(r", | or ", expected)


def _field_names(model: type[BaseModel], path: Sequence[str]) -> list[str]:
    """Return the fields of the object at `path` in `model`; those of every branch if a union stands there."""
    models = [model]
    for key in path:
        if not key.isdigit():  # an index stands for one of the list's items, whose models have been found with the list
            fields = [each.model_fields[key] for each in models if key in each.model_fields]
            models = [inner for field in fields for inner in _models_in(field.annotation)]
    return list(dict.fromkeys(name for each in models for name in each.model_fields))


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, TypeAliasType):
        yield from _models_in(annotation.__value__)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)
