"""Write a method's page in `docs/methods` from the method's card and its parameters' JSON schema."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.methods import METHODS, params_class

_BOUNDS = (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))


def method_page(method: str, picture: Path, call: str, note: str) -> str:
    """Return the page in Markdown.

    Args:
        method: the name of the method.
        picture: the file of the picture in `docs/pictures/gallery`.
        call: the curl command that makes the picture.
        note: a remark under the picture, or "".
    """
    params = params_class(method)
    card = params.card
    schema = params.model_json_schema()
    lines = [f"# {card.title} · `{method}`", "", card.summary, "", f"Source: {card.reference}", ""]
    lines += [f"![{card.title}](../pictures/gallery/{picture.name})", "", *([note, ""] if note else []), "```sh", call, "```", ""]
    lines += ["## Parameters", "", "| name | accepts | default | meaning |", "|---|---|---|---|"]
    for name, field in schema["properties"].items():
        default = f"`{json.dumps(field['default'], ensure_ascii=False)}`" if "default" in field else "required"
        lines.append(f"| `{name}` | {_cell(_accepts(field, schema))} | {_cell(default)} | {_cell(_meaning(field, schema))} |")
    lines += ["", "## Artifacts", "", "| name | kind | meaning |", "|---|---|---|"]
    for artifact in card.artifacts:
        primary = " (primary)" if artifact.primary else ""
        lines.append(f"| `{artifact.name}` | {artifact.kind}{primary} | {_cell(artifact.description)} |")
    lines += ["", "## Facts", "", "| name | meaning |", "|---|---|"]
    facts = card.facts.model_json_schema()
    for name, field in facts.get("properties", {}).items():
        lines.append(f"| `{name}` | {_cell(_meaning(field, facts) or _accepts(field, facts))} |")
    return "\n".join([*lines, ""])


def methods_index() -> str:
    """Return the list of all methods in Markdown, with a link to each page."""
    lines = ["# Methods", "", "| method | what it shows | source |", "|---|---|---|"]
    for name, params in METHODS.items():
        card = params.card
        lines.append(f"| [`{name}`]({name}.md) | {_cell(card.summary)} | {_cell(card.reference)} |")
    return "\n".join([*lines, ""])


def _resolved(field: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = field.get("$ref")
    return schema["$defs"][reference.rsplit("/", 1)[1]] if reference else field


def _meaning(field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    return field.get("description") or ("" if "properties" in _resolved(field, schema) else _resolved(field, schema).get("description", ""))


def _accepts(field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    """Describe in words what a JSON schema accepts."""
    field = _resolved(field, schema)
    if choices := field.get("anyOf") or field.get("oneOf"):
        return " or ".join(dict.fromkeys(_accepts(choice, schema) for choice in choices))
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value, ensure_ascii=False)}`" for value in field["enum"])
    if "const" in field:
        return f"`{json.dumps(field['const'], ensure_ascii=False)}`"
    kind = field.get("type", "anything")
    if kind in ("array", "object"):
        return _container(kind, field, schema)
    bounds = [f"{sign} {field[key]:g}" for key, sign in _BOUNDS if key in field]
    return " ".join([kind, ", ".join(bounds)]).strip()


def _container(kind: str, field: Mapping[str, Any], schema: Mapping[str, Any]) -> str:
    if "prefixItems" in field:
        return "[" + ", ".join(_accepts(item, schema) for item in field["prefixItems"]) + "]"
    if kind == "array":
        return f"list of {_accepts(field.get('items', {}), schema)}"
    names = field.get("properties", {})
    return "object with " + ", ".join(f"`{name}`" for name in names) if names else "object"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
