"""A method's page in `docs/methods`, written from its card and its parameters' schema, so that it says what is true."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.methods import METHODS, params_class

_BOUNDS = (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))


def method_page(method: str, picture: Path, call: str, note: str) -> str:
    """Markdown: summary, source, picture with its call, parameters, artifacts, facts."""
    params = params_class(method)
    card = params.card
    schema = params.model_json_schema()
    lines = [f"# {card.title} · `{method}`", "", card.summary, "", f"Source: {card.reference}", ""]
    lines += [f"![{card.title}](../pictures/gallery/{picture.name})", "", *([note, ""] if note else []), "```sh", call, "```", ""]
    lines += ["## Parameters", "", "| name | accepts | default | meaning |", "|---|---|---|---|"]
    for name, field in schema["properties"].items():
        default = f"`{json.dumps(field['default'], ensure_ascii=False)}`" if "default" in field else "required"
        lines.append(f"| `{name}` | {_cell(_accepts(field, schema))} | {_cell(default)} | {_cell(_meaning(field, schema))} |")
    lines += ["", "## Artifacts", "", "| name | kind | what |", "|---|---|---|"]
    for artifact in card.artifacts:
        primary = " (primary)" if artifact.primary else ""
        lines.append(f"| `{artifact.name}` | {artifact.kind}{primary} | {_cell(artifact.description)} |")
    lines += ["", "## Facts", "", "| name | meaning |", "|---|---|"]
    facts = card.facts.model_json_schema()
    for name, field in facts.get("properties", {}).items():
        lines.append(f"| `{name}` | {_cell(_meaning(field, facts) or _accepts(field, facts))} |")
    return "\n".join([*lines, ""])


def methods_index() -> str:
    """Markdown: every method on a line, with a link to its page."""
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
    """What a JSON schema accepts, in words."""
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
