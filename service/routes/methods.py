"""`/v1/methods`: what can be asked for."""

from __future__ import annotations

from functools import cache
from typing import Annotated

from fastapi import APIRouter, Path, Response

from schemas.discovery import MethodDescription, describe_method
from schemas.errors import UnknownMethod
from schemas.methods import METHODS, params_class
from service.problems import documented
from service.responses import json_response

router = APIRouter(tags=["discovery"])


@cache
def _described(name: str) -> str:
    """The example shows what a caller would write, not every default."""
    return describe_method(name).model_dump_json(exclude_unset=True)


@router.get("/v1/methods", operation_id="list_methods", summary="Every method", response_model=list[MethodDescription])
async def list_methods() -> Response:
    return json_response(f"[{','.join(_described(name) for name in METHODS)}]")


@router.get(
    "/v1/methods/{name}", operation_id="get_method", summary="A method", response_model=MethodDescription, responses=documented(404)
)
async def get_method(name: Annotated[str, Path(examples=["grad_cam"])]) -> Response:
    try:
        params_class(name)
    except UnknownMethod as error:
        error.pointer = None
        raise
    return json_response(_described(name))
