"""Write a method's page in `docs/methods` from the method's card and its parameters' JSON schema.

`make gallery` makes the pages with their pictures. `python -m cli.method_page` writes everything but the pictures anew.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.methods import METHODS, family_of, params_class
from schemas.methods.base import MethodParams
from schemas.methods.card import FAMILY_TITLES
from schemas.methods.further_models import FurtherModelsParams
from schemas.methods.several_images import ImagesParams

_ROOT = Path(__file__).parents[1]
PAGES = _ROOT / "docs" / "methods"
COSTS = _ROOT / "benchmarks" / "results" / "method_costs.json"
_WRITTEN = "Do not edit this page: `make settings` writes it, and a test compares it with the code."
_BEGIN = f"<!-- {_WRITTEN} `make gallery` makes the picture. -->\n"
_END = "<!-- The picture and its call end here. -->\n"
_BOUNDS = (("minimum", "≥"), ("exclusiveMinimum", ">"), ("maximum", "≤"), ("exclusiveMaximum", "<"))


def written(page: str, method: str) -> str:
    """Return the page of a method with everything but its picture and its call written anew from the code.

    Raises:
        ValueError: the page has no part that shows the picture.
    """
    _, begin, rest = page.partition(_BEGIN)
    shown, end, _ = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"The page of '{method}' has no part between {_BEGIN!r} and {_END!r}. `make gallery` makes it.")
    return _page(method, shown)


def method_page(method: str, picture: Path, call: str, note: str) -> str:
    """Return the page in Markdown.

    Args:
        method: the name of the method.
        picture: the file of the picture in `docs/pictures/gallery`.
        call: the curl command that makes the picture.
        note: a remark under the picture, or "".
    """
    title = METHODS[method].card.title
    lines = [f"![{title}](../pictures/gallery/{picture.name})", "", *([note, ""] if note else []), "```sh", call, "```", ""]
    return _page(method, "\n".join(lines))


def methods_index() -> str:
    """Return the list of all methods in Markdown: a section for each question, with what each method shows, needs, costs and gets wrong.

    The seconds are those of `COSTS`. A method that is not there has not been measured yet.
    """
    measured: dict[str, Any] = json.loads(COSTS.read_text("utf-8"))
    lines = [
        "# Methods",
        "",
        f"<!-- {_WRITTEN} -->",
        "",
        "Choose by the question that you have. Each page shows a picture and the call that makes it.",
        "",
        "The seconds are the processor time of this call when it is made a second time, with `efficientnet_lite0` unless the page says "
        f"otherwise, on {measured['cores']} cores of an {measured['processor']}. By the clock, a call with many passes takes about half as "
        "long. `python -m benchmarks.method_costs` measures them.",
        "",
    ]
    for family, question in FAMILY_TITLES.items():
        lines += [f"## {question}", "", "| method | what it shows | needs | cost | seconds | when it misleads |"]
        lines.append("|---|---|---|---|---|---|")
        for name in (name for name in METHODS if family_of(name) == family):
            card = METHODS[name].card
            spent = measured["seconds"].get(name)
            seconds = "not measured yet" if spent is None else f"{spent:.2g}"
            cells = map(_cell, (card.summary, _needs(METHODS[name]), card.cost, seconds, card.when_it_misleads))
            lines.append(f"| [`{name}`]({name}.md) | {' | '.join(cells)} |")
        lines.append("")
    return "\n".join(lines)


def _needs(params: type[MethodParams]) -> str:
    """Say in a few words what a call of the method must name."""
    card = params.card
    needs = [
        *(["a photo"] if card.needs_image else []),
        *(["photos"] if issubclass(params, ImagesParams) else []),
        *(["models"] if issubclass(params, FurtherModelsParams) else ["a model"] if card.needs_model else []),
    ]
    return f"{', '.join(needs)}{' (also ONNX and TFLite)' if card.forward_only else ''}"


def _page(method: str, shown: str) -> str:
    params = params_class(method)
    card = params.card
    lines = [f"# {card.title} · `{method}`", "", card.summary, "", _BEGIN + shown + _END]
    lines += ["## How to read it", "", card.how_to_read, "", "## When it misleads", "", card.when_it_misleads, ""]
    lines += ["## Formula and cost", "", "```text", card.formula, "```", "", card.cost, "", f"Source: {card.reference}", ""]
    lines += [*_parameters(params), "", "## Artifacts", "", "| name | kind | meaning |", "|---|---|---|"]
    for artifact in card.artifacts:
        primary = " (primary)" if artifact.primary else ""
        lines.append(f"| `{artifact.name}` | {artifact.kind}{primary} | {_cell(artifact.description)} |")
    lines += ["", "## Facts", "", "| name | meaning |", "|---|---|"]
    facts = card.facts.model_json_schema()
    for name, field in facts.get("properties", {}).items():
        lines.append(f"| `{name}` | {_cell(_meaning(field, facts) or _accepts(field, facts))} |")
    return "\n".join([*lines, ""])


def _parameters(params: type[MethodParams]) -> list[str]:
    """Return the table of parameters: those that the method declares itself first, those that all methods share last."""
    schema = params.model_json_schema()
    fields: dict[str, Mapping[str, Any]] = schema["properties"]
    lines = ["## Parameters", "", "| name | accepts | default | meaning |", "|---|---|---|---|"]
    for name in sorted(fields, key=lambda name: _distance(params, name)):
        field = fields[name]
        default = f"`{json.dumps(field['default'], ensure_ascii=False)}`" if "default" in field else "required"
        lines.append(f"| `{name}` | {_cell(_accepts(field, schema))} | {_cell(default)} | {_cell(_meaning(field, schema))} |")
    return lines


def _distance(params: type[MethodParams], name: str) -> int:
    """Return how far up in the order of base classes the parameter is declared; 0 is the method's own class."""
    return next(distance for distance, base in enumerate(params.__mro__) if name in inspect.get_annotations(base))


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


if __name__ == "__main__":
    for method in METHODS:
        page = PAGES / f"{method}.md"
        page.write_text(written(page.read_text("utf-8"), method), "utf-8")
    (PAGES / "README.md").write_text(methods_index(), "utf-8")
