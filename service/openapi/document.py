"""Build the OpenAPI document: FastAPI describes the routes, and this module adds the schemas of bodies that routes read themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field, TypeAdapter

from schemas.access import ApiKeyRequest
from schemas.batch_events import BatchEvent
from schemas.batches import BatchRequest, BatchRow
from schemas.events import JobEvent
from schemas.image_sets import ImageSetRequest
from schemas.job_requests import JobRequest
from schemas.jobs import InlineArray, Job
from schemas.problem import Problem
from service.one_line_forms import ONE_LINE_FORMS, FormFile
from service.one_line_operations import add_one_line_operations
from service.openapi.access import describe_access
from service.openapi.headers import describe_headers
from service.openapi.job_states import split_jobs
from service.openapi.requests_and_answers import separate

_REF = "#/components/schemas/{model}"
_TAGS = [
    {"name": "jobs", "description": "Submit jobs, follow them and fetch their results."},
    {"name": "batches", "description": "Submit many jobs at once and collect their results."},
    {"name": "one line", "description": "Send an image and get a picture back: one call for each method."},
    {"name": "images", "description": "Upload an image once and use it in many jobs."},
    {"name": "sets", "description": "Name several uploads once and use them in many jobs."},
    {"name": "webhooks", "description": "Let an address of your own be told when jobs and batches end."},
    {"name": "discovery", "description": "List the methods and the models."},
    {"name": "keys", "description": "Make, list and revoke API keys. This needs the scope `admin`."},
    {"name": "operations", "description": "Ask for the service's health and its metrics."},
]


class JobRequestForm(BaseModel):
    """A submission whose image or images come as files."""

    request: JobRequest = Field(description="This part holds the submission as JSON. It has no `image` if the form has the file.")
    image: FormFile | None = Field(default=None, description="This part holds the image file, if the method needs one.")
    images: tuple[FormFile, ...] = Field(
        default=(),
        description="Each part of this name holds one image file, if the method takes several. They follow the ids in `params.images`.",
    )


class ImageForm(BaseModel):
    """An upload as a form."""

    image: FormFile = Field(description="This part holds the image file.")


def openapi_of(app: FastAPI, *, key_required: bool) -> Callable[[], dict[str, Any]]:
    """Return the function for `app.openapi`, which builds the document when it is first called.

    `key_required` says whether callers need an API key for everything that is not open to all.
    """

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _build(app)
            describe_access(app.openapi_schema, key_required=key_required)
            split_jobs(app.openapi_schema["components"]["schemas"])
            separate(app.openapi_schema)
            describe_headers(app.openapi_schema)
        return app.openapi_schema

    return build


def _build(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=_TAGS,
        # `requests_and_answers` separates the two. FastAPI's way would give a second name to many schemas that do not differ.
        separate_input_output_schemas=False,
    )
    add_one_line_operations(document["paths"])
    schemas: dict[str, Any] = document["components"]["schemas"]
    for name, schema in _pydantic_schemas().items():
        # FastAPI loses null defaults and turns integer bounds into floats; pydantic's own schema has both.
        if set(schemas.get(name, schema).get("properties", {})) != set(schema.get("properties", {})):
            raise RuntimeError(f"two schemas are called {name}")
        schemas[name] = schema
    # FastAPI documents its own validation error for every route. This service answers problems instead.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        if "application/json" in operation["responses"].get("422", {}).get("content", {}):
            del operation["responses"]["422"]
        for answer in operation["responses"].values():
            # A stream is also answered with 204 if nothing more is to be told. The document does not list it, because generators would then
            # say that an event of the stream may be nothing.
            # `itemSchema` is OpenAPI 3.2 and must not stand in a 3.1 document. `schema` says the same.
            answer.get("content", {}).get("text/event-stream", {}).pop("itemSchema", None)
    return document


def _pydantic_schemas() -> dict[str, Any]:
    types: list[Any] = [
        ApiKeyRequest,
        ImageSetRequest,
        JobRequest,
        Job,
        JobEvent,
        JobRequestForm,
        ImageForm,
        InlineArray,
        Problem,
        BatchRequest,
        BatchRow,
        BatchEvent,
        *ONE_LINE_FORMS.values(),
    ]
    _, definitions = TypeAdapter.json_schemas(
        [(f"{index}", "validation", TypeAdapter(each)) for index, each in enumerate(types)], ref_template=_REF
    )
    return definitions.get("$defs", {})
