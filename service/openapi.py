"""The OpenAPI document: what FastAPI makes of the routes, and the schemas of bodies that routes read by themselves."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, Field, TypeAdapter

from schemas.errors import Problem
from schemas.events import JobEvent
from schemas.job_requests import JobRequest
from schemas.jobs import InlineArray, Job
from service.one_line_forms import ONE_LINE_FORMS, FormFile

_REF = "#/components/schemas/{model}"
_TAGS = [
    {"name": "jobs", "description": "Submit, follow, fetch."},
    {"name": "one line", "description": "A photo in, a picture out: one call for each method."},
    {"name": "images", "description": "One upload for many jobs."},
    {"name": "discovery", "description": "Methods and models."},
    {"name": "operations", "description": "Health and figures."},
]


class JobRequestForm(BaseModel):
    """A submission whose image comes as a file, or its images."""

    request: JobRequest = Field(description="The submission as JSON, without `image`, or without `params.images`.")
    image: FormFile | None = Field(default=None, description="The image file, where the method needs one.")
    images: tuple[FormFile, ...] = Field(
        default=(),
        description="The image files of a method of several, each a part of this name; they come after the ids in `params.images`.",
    )


class ImageForm(BaseModel):
    image: FormFile = Field(description="The image file.")


def service_version() -> str:
    try:
        return version("convscope")
    except PackageNotFoundError:  # run from a checkout that was not installed
        return "0"


def document(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What `app.openapi` is to be: the document, made when it is first asked for."""

    def build() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _built(app)
        return app.openapi_schema

    return build


def _built(app: FastAPI) -> dict[str, Any]:
    built = get_openapi(
        title=app.title,
        version=app.version,
        description=app.description,
        routes=app.routes,
        tags=_TAGS,
        # One schema for what goes in and comes out: a job's `params` are of the same class as a submission's.
        separate_input_output_schemas=False,
    )
    schemas: dict[str, Any] = built["components"]["schemas"]
    for name, schema in _by_pydantic().items():
        # FastAPI's own copy has lost null defaults and turned bounds into floats on its way.
        if set(schemas.get(name, schema).get("properties", {})) != set(schema.get("properties", {})):
            raise RuntimeError(f"two schemas are called {name}")
        schemas[name] = schema
    # FastAPI's word for a validation error, put where a route documents none: ours are problems.
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for operation in (operation for path in built["paths"].values() for operation in path.values()):
        if "application/json" in operation["responses"].get("422", {}).get("content", {}):
            del operation["responses"]["422"]
        for answer in operation["responses"].values():
            # OpenAPI 3.2's, which a 3.1 document may not hold; its `schema` says the same.
            answer.get("content", {}).get("text/event-stream", {}).pop("itemSchema", None)
    return built


def _by_pydantic() -> dict[str, Any]:
    types: list[Any] = [JobRequest, Job, JobEvent, JobRequestForm, ImageForm, InlineArray, Problem, *ONE_LINE_FORMS.values()]
    _, definitions = TypeAdapter.json_schemas(
        [(f"{index}", "validation", TypeAdapter(each)) for index, each in enumerate(types)], ref_template=_REF
    )
    return definitions.get("$defs", {})
