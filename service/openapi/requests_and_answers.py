"""Give requests and answers schemas of their own where they differ.

In a request, a field that has a default may be left out. In an answer, every field is there. Some generators read a default as "always
there", also in requests, so the document says defaults in the description of a field and not with the keyword `default`. Parameters of
addresses and headers keep the keyword, because their own `required` decides for every generator.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, cast

_PREFIX = "#/components/schemas/"
# These fields can be missing in answers: a problem leaves out what it has nothing to say about, and only one-line answers have arrays.
_MAY_BE_MISSING = {"Problem": None, "FieldError": None, "Artifact": {"data"}}
_MOST_SHOWN = 60  # characters of a default


def separate(document: dict[str, Any]) -> None:
    """Rewrite the schemas of the document in place.

    A schema that both requests and answers use, and that has optional fields or refers to one that has, gets a second version for
    answers. Its name begins with `Resolved`, because its defaults are filled in. An example of a request in an answer stays a request.
    """
    schemas: dict[str, Any] = document["components"]["schemas"]
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    asked = _reachable([operation.get("requestBody") for operation in operations], schemas)
    answered = _reachable([operation["responses"] for operation in operations], schemas, stop=lambda name: name.endswith("Request"))
    doubled = _with_optional_fields(asked & answered, schemas)
    for name in sorted(doubled):
        schemas[f"Resolved{name}"] = _copied(schemas[name], lambda each: each) | {"title": f"Resolved{name}"}
    resolved = {f"{_PREFIX}{name}": f"{_PREFIX}Resolved{name}" for name in doubled}
    for name in [*(answered - doubled - asked), *(f"Resolved{name}" for name in doubled)]:
        schemas[name] = _copied(schemas[name], lambda each: resolved.get(each, each))
        _require_all(schemas[name], _optional(name, schemas[name]))
    for operation in operations:
        operation["responses"] = _copied(operation["responses"], lambda each: resolved.get(each, each))
    for name in [*schemas]:
        _say_defaults(schemas[name])


def _reachable(roots: object, schemas: dict[str, Any], stop: Callable[[str], bool] = lambda _: False) -> set[str]:
    """Return the names of all schemas that `roots` refer to, directly or through others, except those at which `stop` holds."""
    found: set[str] = set()
    waiting = list(_references(roots))
    while waiting:
        name = waiting.pop()
        if name not in found and not stop(name):
            found.add(name)
            waiting += _references(schemas[name])
    return found


def _references(node: object) -> Iterator[str]:
    for each in _objects(node):
        if isinstance(each.get("$ref"), str) and each["$ref"].startswith(_PREFIX):
            yield each["$ref"].removeprefix(_PREFIX)


def _objects(node: object) -> Iterator[dict[str, Any]]:
    """Yield every JSON object in `node`, from the outside to the inside."""
    if isinstance(node, dict):
        yield cast("dict[str, Any]", node)
        node = list(cast("dict[str, Any]", node).values())
    if isinstance(node, list):
        for each in cast("list[Any]", node):
            yield from _objects(each)


def _with_optional_fields(names: set[str], schemas: dict[str, Any]) -> set[str]:
    """Return those of `names` that have an optional field or refer to a schema that has one."""
    own = {name for name in names if set(schemas[name].get("properties", ())) - set(schemas[name].get("required", ()))}
    return {name for name in names if name in own or _reachable(schemas[name], schemas) & own}


def _copied(node: Any, target: Callable[[str], str]) -> Any:
    """Return a deep copy in which `target` has replaced every reference."""
    if isinstance(node, dict):
        items = cast("dict[str, Any]", node)
        return {key: target(value) if key == "$ref" else _copied(value, target) for key, value in items.items()}
    if isinstance(node, list):
        return [_copied(each, target) for each in cast("list[Any]", node)]
    return node


def _optional(name: str, schema: dict[str, Any]) -> set[str]:
    """Return the fields of a schema of answers that can be missing."""
    if name in _MAY_BE_MISSING:
        named = _MAY_BE_MISSING[name]
        return set(schema["properties"]) - set(schema["required"]) if named is None else named
    return {"data"} if name.endswith("Artifact") and "sha256" in schema.get("properties", {}) else set()


def _require_all(schema: dict[str, Any], optional: set[str]) -> None:
    if "properties" in schema:
        schema["required"] = [name for name in schema["properties"] if name not in optional]


def _say_defaults(schema: dict[str, Any]) -> None:
    """Move the defaults of a schema's fields into their descriptions."""
    for each in _objects(schema):
        for field in each.get("properties", {}).values():
            if "default" not in field:
                continue
            value = json.dumps(field.pop("default"), ensure_ascii=False)
            if len(value) <= _MOST_SHOWN and value not in ("null", "[]", "{}"):
                field["description"] = f"{field.get('description', '')} The default is `{value}`.".strip()
