"""The routes under `/v1/methods`, which describe the visualization methods.

They are no coroutines, so they run on a thread: making the schemas of all methods for the first time takes about 0.2 s.
"""

from __future__ import annotations

from functools import cache
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from schemas.discovery import MethodDescription, describe_method
from schemas.errors import UnknownMethod
from schemas.methods import METHODS, params_class
from service.compressed import compressed_response
from service.problems import documented
from service.responses import json_response

router = APIRouter(tags=["discovery"])


@cache
def _described(name: str) -> str:
    """Return the method's description as JSON. Its example shows what a caller would write, without the defaults."""
    return describe_method(name).model_dump_json(exclude_unset=True)


@cache
def _all_described() -> bytes:
    return f"[{','.join(_described(name) for name in METHODS)}]".encode()


@router.get("/v1/methods", operation_id="list_methods", summary="List the methods", response_model=list[MethodDescription])
def list_methods(request: Request) -> Response:
    """Each method comes with the JSON schema of its parameters, an example and its artifacts. The answer is long, and is compressed for
    callers who accept gzip."""
    return compressed_response(request, _all_described(), "application/json")


@router.get(
    "/v1/methods/{name}",
    operation_id="get_method",
    summary="Describe a method",
    response_model=MethodDescription,
    responses=documented(404),
)
def get_method(
    name: Annotated[str, Path(description="This is the name of a method, as `GET /v1/methods` lists it.", examples=["grad_cam"])],
) -> Response:
    """The method comes with the JSON schema of its parameters, an example and its artifacts."""
    try:
        params_class(name)
    except UnknownMethod as error:
        error.pointer = None
        raise
    return json_response(_described(name))
