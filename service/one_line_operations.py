"""Describe the one-line form in the OpenAPI document, as two operations for each method.

Generators give an operation one type of answer. So the operation that answers a picture and the one that answers JSON have addresses of
their own, and a client generated from the document knows which of the two comes.
"""

from __future__ import annotations

import copy
from typing import Any

from pydantic import JsonValue

from schemas.job_requests import example_request
from schemas.method_types import class_title
from schemas.methods import METHODS
from schemas.methods.card import MethodCard
from schemas.methods.several_images import ImagesParams
from service.one_line_forms import ONE_LINE_FORMS
from service.one_line_media import JSON, offered

_PICTURE = "`Accept` chooses the format of the answer. Without `Accept`, the answer is the primary image as PNG. JSON has its own address, "
_JOB = "The answer is the finished job, as JSON, with its arrays inside its artifacts as base64. It is otherwise like the call at "
_SEVERAL = " Each image is a part of its own, a file or an id: `curl -F images=@a.jpg -F images=@b.jpg -F model=…`."
_PHOTO = "the bytes of cat.jpg"


def add_one_line_operations(paths: dict[str, Any]) -> None:
    """Put two operations for each method in the place of the one that FastAPI describes for the route of all methods."""
    described = list(paths.items())
    paths.clear()
    for path, operations in described:
        if path != "/v1/{method}":
            paths[path] = operations
            continue
        for name in METHODS:
            paths[f"/v1/{name}"] = {"post": _picture_operation(operations["post"], name)}
    for name in METHODS:
        paths[json_path(name)] = {"post": _json_operation(paths[f"/v1/{name}"]["post"], name)}


def _picture_operation(route: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the operation that answers a picture, all arrays or all artifacts. `route` is what FastAPI describes for all methods."""
    params = METHODS[name]
    form: dict[str, Any] = {"schema": {"$ref": f"#/components/schemas/{ONE_LINE_FORMS[name].__name__}"}, "example": _example(name)}
    operation: dict[str, Any] = copy.deepcopy(route) | {
        "operationId": f"run_{name}",
        "summary": params.card.title,
        "description": f"{params.card.summary} {_PICTURE}`{json_path(name)}`.{_several(name)}",
        "requestBody": {"required": True, "content": {"multipart/form-data": form}},
    }
    binary: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
    operation["responses"]["200"]["content"] = {media_type: binary for media_type in offered(params.card) if media_type != JSON}
    operation["responses"]["202"]["content"] = {JSON: {"schema": _job(params.card)}}
    return operation


def _json_operation(picture: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the operation that answers the job as JSON. It is otherwise like the one that answers a picture."""
    params = METHODS[name]
    succeeded: dict[str, Any] = {
        "type": "object",
        "properties": {"state": {"type": "string", "enum": ["succeeded"]}},
        "required": ["state"],
    }
    operation: dict[str, Any] = copy.deepcopy(picture) | {
        "operationId": f"run_{name}_json",
        "summary": f"{params.card.title}, as JSON",
        "description": f"{params.card.summary} {_JOB}`/v1/{name}`.{_several(name)}",
    }
    operation["responses"]["200"]["content"] = {JSON: {"schema": {"allOf": [_job(params.card), succeeded]}}}
    return operation


def json_path(name: str) -> str:
    """Return the address at which the one-line form answers JSON, for example `/v1/grad_cam.json`."""
    return f"/v1/{name}.json"


def _several(name: str) -> str:
    return _SEVERAL if issubclass(METHODS[name], ImagesParams) else ""


def _job(card: MethodCard) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{class_title(card.name)}Job"}


def _example(name: str) -> dict[str, JsonValue]:
    """Return the fields of an example form. A field without a value is left out, because a form cannot send null."""
    request = example_request(name)
    fields = {**{key: value for key, value in request.items() if key not in ("method", "params")}, **METHODS[name].card.example}
    photos: dict[str, JsonValue] = {"image": _PHOTO, "images": [_PHOTO]}
    return {key: photos.get(key, value) for key, value in fields.items() if value is not None}
