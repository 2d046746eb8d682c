"""The methods of the Python client: `python -m cli.client_methods` writes them from the parameters of the service's methods."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from schemas.images import NAMED_IMAGE_PATTERN
from schemas.methods import METHODS
from schemas.methods.base import MethodParams
from schemas.methods.photo_sets import PhotoSetsParams
from schemas.methods.several_images import ImagesParams

FOLDER = Path(__file__).parents[1] / "client" / "python" / "convscope" / "generated"
_WIDTH = 132
_PLAIN = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None", "object": "Mapping[str, Any]"}
_OWN = {
    "model": "the name of the model.",
    "image": "a path, the content of a file, a Pillow image, an array, the id of an upload, or an `https://` address.",
    "model_inputs": "values of the model's other inputs by name.",
    "priority": "`high`, `normal` or `low`.",
    "fresh": "compute again, even if an identical job has a result.",
    "timeout": "seconds to wait for the result at most; None waits as long as it takes.",
}


def python_type(schema: Mapping[str, Any]) -> str:
    """Return the Python annotation of an argument whose JSON schema is given."""
    if "anyOf" in schema or "oneOf" in schema:
        return _union(python_type(each) for each in schema.get("anyOf") or schema["oneOf"])
    if "enum" in schema or "const" in schema:
        values: list[Any] = schema["enum"] if "enum" in schema else [schema["const"]]
        return f"Literal[{', '.join(map(_literal, values))}]"
    if "$ref" in schema:
        return "Mapping[str, Any]"
    if schema.get("type") == "array":
        items: list[Any] = list(schema.get("prefixItems") or [schema.get("items") or {}])
        return f"Sequence[{_union(python_type(each) for each in items)}]"
    return _PLAIN.get(schema.get("type", ""), "Any")


def written(*, asynchronous: bool) -> str:
    """Return the text of the module with the methods of `AsyncClient` or of `Client`."""
    result, name = ("AsyncResult", "AsyncMethods") if asynchronous else ("Result", "Methods")
    prefix = "async " if asynchronous else ""
    head = f'''\
        """The methods of the service as methods of a client. This file is written by `make settings`."""

        from __future__ import annotations

        from abc import ABC, abstractmethod
        from collections.abc import Iterable, Mapping, Sequence
        from typing import Any, Literal

        from convscope.image_input import ImageInput
        from convscope.result import {result}
        from convscope.service_default import DEFAULT, given_arguments

        # fmt: off


        class {name}(ABC):
            """One method for each method of the service. An argument that is left out has the service's default."""

            @abstractmethod
            {prefix}def _run_method(self, method: str, arguments: dict[str, Any]) -> {result}:
                """Run a method with the arguments that the caller gave."""

        '''
    methods = "\n".join(_method(method, params, prefix, result) for method, params in METHODS.items())
    return textwrap.dedent(head) + methods


def _method(name: str, params: type[MethodParams], prefix: str, result: str) -> str:
    card, properties = params.card, params.model_json_schema()["properties"]
    required: list[str] = params.model_json_schema().get("required", [])
    clash = set(properties) & set(_OWN)
    if clash:
        raise ValueError(f"{name} has parameters that the client needs for itself: {', '.join(sorted(clash))}.")
    several = issubclass(params, ImagesParams)
    arguments = ["self", *(["image: ImageInput"] if card.needs_image else []), "*", *(["model: str"] if card.needs_model else [])]
    for parameter, schema in sorted(properties.items(), key=lambda entry: entry[0] not in required):
        annotation = "Iterable[ImageInput]" if several and parameter == "images" else python_type(schema)
        annotation = "ImageInput | None" if names_an_image(schema) else annotation
        arguments.append(f"{parameter}: {annotation}" + ("" if parameter in required else " = DEFAULT"))
    arguments += [
        "model_inputs: Mapping[str, Any] | None = None",
        'priority: Literal["high", "normal", "low"] = DEFAULT',
        "fresh: bool = False",
        "timeout: float | None = None",
    ]
    texts = {parameter: _first_sentence(schema) for parameter, schema in properties.items()}
    for parameter in set_fields(params):
        texts[parameter] += " Each image may have any form, and is uploaded."
    for parameter, schema in properties.items():
        if names_an_image(schema):
            texts[parameter] += " An image of any other form is uploaded."
    own = {each: text for each, text in _OWN.items() if each in {argument.split(":")[0] for argument in arguments}}
    documented = [f"    {parameter}: {text}" for parameter, text in {**own, **texts}.items()]
    lines = ['"""' + card.summary, "", "Args:", *documented, '"""']
    wrapped = [each for line in lines for each in _wrapped(line)]
    packed = textwrap.fill(", ".join(arguments), _WIDTH, break_long_words=False, break_on_hyphens=False)
    signature = f"    {prefix}def {name}(\n{textwrap.indent(packed, '        ')}\n    ) -> {result}:\n"
    body = textwrap.indent("\n".join(wrapped), "        ")
    call = f'        return {"await " if prefix else ""}self._run_method("{name}", given_arguments(locals()))\n'
    return f"{signature}{body}\n{call}"


def _first_sentence(schema: Mapping[str, Any]) -> str:
    text = " ".join(str(schema.get("description") or _described(schema)).split())
    sentence = re.split(r"(?<=[.!?]) (?=[A-Z`])", text)[0]
    default = schema.get("default")
    return sentence + ("" if default is None or isinstance(default, dict) else f" By default {_literal(default)}.")


def _described(schema: Mapping[str, Any]) -> str:
    return next((each["description"] for each in schema.get("anyOf", []) if "description" in each), "as the service describes it.")


def _wrapped(line: str) -> list[str]:
    indent = " " * (len(line) - len(line.lstrip()))
    return textwrap.wrap(line, _WIDTH - 8, subsequent_indent=f"{indent}    ") or [""]


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _union(types: Iterable[str]) -> str:
    found = list(dict.fromkeys(each for one in types for each in _members(one)))
    return " | ".join([each for each in found if each != "None"] + [each for each in found if each == "None"])


def _members(annotation: str) -> list[str]:
    """Split a union at its outermost bars."""
    members, depth = [""], 0
    for character in annotation:
        depth += (character == "[") - (character == "]")
        if character == "|" and not depth:
            members.append("")
        else:
            members[-1] += character
    return [member.strip() for member in members]


def names_an_image(schema: Mapping[str, Any]) -> bool:
    """Tell whether a parameter is the id or the address of one image, or null."""
    return any(each.get("pattern") == NAMED_IMAGE_PATTERN for each in schema.get("anyOf", []))


def set_fields(params: type[MethodParams]) -> tuple[str, ...]:
    """Return the parameters of a method that name sets of photos."""
    return params.set_fields if issubclass(params, PhotoSetsParams) else ()


def written_set_fields() -> str:
    """Return the text of the module that says which parameters name sets of photos."""
    head = '"""The parameters of each method that name sets of photos. This file is written by `make settings`."""'
    fields = [f'    "{name}": ({", ".join(map(_literal, found))},),' for name, params in METHODS.items() if (found := set_fields(params))]
    return "\n".join([head, "", "# fmt: off", "PHOTO_SET_FIELDS: dict[str, tuple[str, ...]] = {", *fields, "}", ""])


MODULES: Mapping[str, Callable[[], str]] = {
    "async_methods.py": lambda: written(asynchronous=True),
    "methods.py": lambda: written(asynchronous=False),
    "photo_set_fields.py": written_set_fields,
}
"""The names of the written modules, and what returns their texts."""

if __name__ == "__main__":
    for module, text_of in MODULES.items():
        (FOLDER / module).write_text(text_of(), "utf-8")
