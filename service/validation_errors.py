"""What pydantic says of a wrong value, in one problem: the field, what was got, what is allowed, and the names nearest to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from pydantic import BaseModel, JsonValue, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import InvalidParameters, LimitExceeded, nearest_names
from service.echo import echo

JsonSchema = Mapping[str, Any]
_MOST_VALUES = 20_000  # of one submission


def invalid_parameters(error: ValidationError, data: object, model: type[BaseModel], prefix: str = "") -> InvalidParameters:
    """The first field that is wrong, for `data` refused by `model`; `prefix` is the pointer of `data` in the body."""
    located = [(_path_in(data, details), details) for details in error.errors(include_url=False)]
    field = located[0][0][:1]
    # Every branch of a union has its say; the one that got furthest is the one that was meant.
    path = max((path for path, _ in located if path[:1] == field), key=len)
    said = [details for each, details in located if each == path]
    others = sorted({echo(each[0]) for each, _ in located if each[:1] != field})
    also = f" Also wrong: {', '.join(others[:5])}{', …' if len(others) > 5 else ''}." if others else ""
    pointer = prefix + "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in path)
    nodes = list(_nodes(_schema(model), path))
    around = list(_nodes(_schema(model), path[:-1]))
    return _worded(said, _name(path, prefix), pointer=pointer, nodes=nodes, around=around, also=also)


def _name(path: Sequence[str], prefix: str) -> str:
    if not path:
        return prefix.rsplit("/", 1)[-1] or "body"
    return echo(f"{path[-2]}[{path[-1]}]" if path[-1].isdigit() and len(path) > 1 else path[-1])


def _worded(
    said: Sequence[ErrorDetails], name: str, *, pointer: str, nodes: list[JsonSchema], around: list[JsonSchema], also: str
) -> InvalidParameters:
    kinds, got = {details["type"] for details in said}, echo(said[0]["input"])
    if kinds == {"extra_forbidden"}:
        names = [str(each) for node in around for each in node.get("properties", {})]
        nearest = nearest_names(name, names)
        hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
        return InvalidParameters(
            f"There is no '{name}' here.{hint} Allowed: {', '.join(names) or 'nothing'}.{also}",
            pointer=pointer,
            allowed=", ".join(names),
            got=name,
            nearest=nearest,
        )
    allowed = " or ".join(dict.fromkeys(text for node in nodes for text in _worded_schema(node))) or None
    if kinds == {"missing"}:
        return InvalidParameters(f"'{name}' is required: {allowed}.{also}", pointer=pointer, allowed=allowed)
    if kinds == {"value_error"}:
        return InvalidParameters(said[0]["msg"].removeprefix("Value error, ") + "." + also, pointer=pointer or None)
    names = [str(each) for node in nodes for each in node.get("enum", ())]
    nearest = nearest_names(got, names)
    hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
    return InvalidParameters(
        f"{name} must be {allowed or said[0]['msg']}; got {got}.{hint}{also}",
        pointer=pointer,
        allowed=allowed,
        got=got,
        nearest=nearest,
    )


def invalid_request(errors: Sequence[Mapping[str, Any]]) -> InvalidParameters:
    """What FastAPI found wrong with a query, header or path parameter."""
    first = errors[0]
    where, *names = [str(part) for part in first["loc"]]
    name, got = names[0] if names else where, echo(first.get("input"))
    expected = first.get("ctx", {}).get("expected")
    message = f"{where} parameter '{name}': {str(first['msg']).lower()}; got {got}."
    return InvalidParameters(message, pointer=f"/{name}", allowed=str(expected) if expected else str(first["msg"]), got=got)


def check_extent(data: JsonValue, pointer: str) -> None:
    """Refuses data of very many values before pydantic looks at them, which keeps an error, a few hundred bytes, for each wrong one.

    Raises:
        LimitExceeded
    """
    pending, count = [data], 0
    while pending:
        value = pending.pop()
        inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
        count += len(inner)
        if count > _MOST_VALUES:
            raise LimitExceeded(
                f"There are more than {_MOST_VALUES:,} values here.", pointer=pointer or None, allowed=f"at most {_MOST_VALUES}", got="more"
            )
        pending += inner


def _path_in(data: object, details: ErrorDetails) -> tuple[str, ...]:
    """The error's place in `data`: its `loc` without the names that pydantic gives to a union's branches."""
    path: list[str] = []
    last = len(details["loc"]) - 1
    for position, part in enumerate(details["loc"]):
        if isinstance(data, dict) and part in (mapping := cast("dict[object, object]", data)):
            data = mapping[part]
        elif isinstance(data, list | tuple) and isinstance(part, int) and part < len(sequence := cast("Sequence[object]", data)):
            data = sequence[part]
        elif not (position == last and details["type"] == "missing"):
            continue
        path.append(str(part))
    return tuple(path)


@lru_cache(maxsize=256)
def _schema(model: type[BaseModel]) -> JsonSchema:
    return model.model_json_schema()


def _nodes(root: JsonSchema, path: Sequence[str]) -> Iterator[JsonSchema]:
    """The schemas that speak of the value at `path`, unions taken apart."""
    nodes = list(alternatives(root, root))
    for part in path:
        inner = [node["properties"][part] for node in nodes if part in node.get("properties", {})]
        if part.isdigit():
            prefixed = [node["prefixItems"][int(part)] for node in nodes if int(part) < len(node.get("prefixItems", ()))]
            inner += prefixed or [node["items"] for node in nodes if isinstance(node.get("items"), dict)]
        nodes = [alternative for node in inner for alternative in alternatives(root, node)]
    yield from nodes


def alternatives(root: JsonSchema, node: JsonSchema) -> Iterator[JsonSchema]:
    """`node` with references followed and unions taken apart."""
    if "$ref" in node:
        yield from alternatives(root, root["$defs"][str(node["$ref"]).rsplit("/", 1)[-1]])
    elif branches := node.get("anyOf") or node.get("oneOf") or node.get("allOf"):
        for branch in branches:
            yield from alternatives(root, branch)
    else:
        yield {**node, "$defs": root.get("$defs", {})}


def items_of(node: JsonSchema) -> list[JsonSchema]:
    """The schemas of an array's items: of each place, or one for all; empty where anything goes."""
    return list(node.get("prefixItems", ())) or ([node["items"]] if isinstance(node.get("items"), dict) else [])


def _worded_schema(node: JsonSchema) -> Iterator[str]:
    if "const" in node:
        yield str(node["const"])
    elif "enum" in node:
        yield f"one of {', '.join(str(value) for value in node['enum'])}"
    elif node.get("type") in ("integer", "number"):
        yield " ".join([{"integer": "an integer", "number": "a number"}[node["type"]], *_bounds(node)])
    elif node.get("type") == "string":
        yield f"text matching {node['pattern']}" if "pattern" in node else "text"
    elif node.get("type") == "array":
        items = node.get("prefixItems") or [node["items"]] if isinstance(node.get("items"), dict) or "prefixItems" in node else []
        inner = [" or ".join(text for branch in alternatives(node, item) for text in _worded_schema(branch)) for item in items]
        some = "a non-empty list" if node.get("minItems") else "a list"
        yield f"a list of {', '.join(inner)}" if "prefixItems" in node else f"{some} of {' or '.join(inner) or 'anything'}"
    elif node.get("type") == "object":
        yield f"an object with {', '.join(node.get('properties', {})) or 'anything'}"
    elif "type" in node:
        yield {"boolean": "true or false"}.get(str(node["type"]), str(node["type"]))


def _bounds(node: JsonSchema) -> Iterator[str]:
    words = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [
        f"{sign} {node[key]:g}" if isinstance(node[key], float) else f"{sign} {node[key]}" for key, sign in words.items() if key in node
    ]
    if bounds:
        yield " and ".join(bounds)
