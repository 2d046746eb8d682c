"""The one-line form: a method's parameters as form fields, read by what each field's schema admits."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, WithJsonSchema, create_model

from schemas.errors import InvalidParameters, nearest_names
from schemas.jobs import Priority
from schemas.methods import METHODS
from schemas.methods.base import MethodParams
from schemas.methods.several_images import ImagesParams
from schemas.models import NO_MODEL, ModelName
from service.echo import echo
from service.validation_errors import JsonSchema, alternatives, check_extent, invalid_parameters, items_of

FormFile = Annotated[bytes, WithJsonSchema({"type": "string", "format": "binary"})]
_SEVERAL = (
    "The image files, each a part of this name; an id of an image uploaded with `POST /v1/images` may stand for any. Each image once."
)


class OneLineForm(BaseModel, frozen=True):
    """What every one-line form has beside the method's own fields."""

    model_config = ConfigDict(extra="forbid")

    model: ModelName
    priority: Priority = "normal"


class ModellessForm(OneLineForm, frozen=True):
    """Of a method that needs no model."""

    model: Literal["none"] = NO_MODEL


def _base(params: type[MethodParams]) -> type[OneLineForm]:
    return OneLineForm if params.card.needs_model else ModellessForm


def _form_class(name: str, params: type[MethodParams]) -> type[OneLineForm]:
    fields: dict[str, Any] = {field: (info.annotation, info) for field, info in params.model_fields.items()}
    if params.card.needs_image:
        fields = {"image": (FormFile, Field(description="The image file.")), **fields}
    if issubclass(params, ImagesParams):
        fields = {"images": (), **fields} | {"images": (tuple[FormFile, ...], Field(min_length=1, description=_SEVERAL))}
    title = "".join(part.capitalize() for part in name.split("_"))
    return create_model(f"{title}Form", __base__=_base(params), __doc__=params.card.summary, **fields)


ONE_LINE_FORMS: Mapping[str, type[OneLineForm]] = {name: _form_class(name, params) for name, params in METHODS.items()}
_SCHEMAS: Mapping[str, JsonSchema] = {name: form.model_json_schema() for name, form in ONE_LINE_FORMS.items()}


def read_form(method: str, fields: Iterable[tuple[str, str]]) -> tuple[OneLineForm, MethodParams]:
    """A form's text fields as `(form, params)`. An empty field counts as left out, as browsers send those.

    Raises:
        InvalidParameters: pointers name the form's fields, e.g. `/class_index`.
    """
    schema = _SCHEMAS[method]
    given: dict[str, list[str]] = {}
    for name, text in fields:
        _check_name(name, schema)
        if text:
            given.setdefault(name, []).append(text)
    values = {name: _value(name, texts, list(alternatives(schema, schema["properties"][name]))) for name, texts in given.items()}
    for name, value in values.items():
        check_extent(value, f"/{name}")
    common = {name: values.pop(name) for name in OneLineForm.model_fields if name in values}
    return _validated(_base(METHODS[method]), common), _validated(METHODS[method], values)


def _validated(model: type[Any], values: dict[str, JsonValue]) -> Any:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise invalid_parameters(error, values, model) from None


def _check_name(name: str, schema: JsonSchema) -> None:
    names = list(schema["properties"])
    if name not in names:
        nearest = nearest_names(name, names)
        hint = f" Nearest: {', '.join(nearest)}." if nearest else ""
        raise InvalidParameters(
            f"There is no field '{echo(name)}' here.{hint} Fields: {', '.join(names)}.",
            pointer=f"/{name}",
            allowed=", ".join(names),
            got=name,
            nearest=nearest,
        )


def _value(name: str, texts: Sequence[str], nodes: Sequence[JsonSchema]) -> JsonValue:
    """One field: repeated or with commas it is a list."""
    if len(texts) == 1:
        return _parsed(texts[0], nodes)
    if "array" not in _types(nodes):
        raise InvalidParameters(
            f"{name} is given {len(texts)} times; once is allowed.", pointer=f"/{name}", allowed="once", got=f"{len(texts)} times"
        )
    return [_parsed(text, _item_nodes(nodes)) for text in texts]


def _parsed(text: str, nodes: Sequence[JsonSchema]) -> JsonValue:
    """JSON where it parses to a type that the field admits; else a list where it admits lists and there is a comma, or lists of texts
    and no text; else text."""
    types = _types(nodes)
    try:
        value: JsonValue = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    else:
        if _type_of(value) in types:
            return value
    if "array" in types and "," in text:
        parts, items = text.split(","), _item_nodes(nodes)
        # Labels hold a comma and a space: "tabby, tabby cat" is one of them.
        if "string" not in _types(items) or all(map(_is_number, parts)) or not re.search(r",\s", text):
            return [_parsed(part.strip(), items) for part in parts]
    if "string" not in types and "array" in types and "string" in _types(_item_nodes(nodes)):
        return [text]
    return text


def _item_nodes(nodes: Sequence[JsonSchema]) -> list[JsonSchema]:
    return [alternative for node in nodes for item in items_of(node) for alternative in alternatives(node, item)]


def _types(nodes: Iterable[JsonSchema]) -> set[str]:
    """The JSON types that the schemas admit; every number is one, `number`."""
    types: set[str] = set()
    for node in nodes:
        values: list[object] = [node["const"]] if "const" in node else list(node.get("enum", ()))
        types.update([str(node["type"])] if "type" in node else map(_type_of, values))
    return {"number" if each == "integer" else each for each in types}


def _type_of(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\s*[+-]?\d+(\.\d+)?\s*", text) is not None
