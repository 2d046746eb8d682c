"""The routes of the explorer page: the page itself at `/` and at `/jobs/{id}`, and the files that it loads."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict

from schemas.errors import NotFound
from service.compressed import compressed_response
from service.content_negotiation import preferred_media_type
from service.echo import echo
from service.explorer_files import ASSET_HEADERS, PAGE_HEADERS, explorer_files, explorer_page
from service.responses import json_response

router = APIRouter(tags=["operations"])

_JSON, _HTML = "application/json", "text/html"


class Welcome(BaseModel):
    """The addresses to start from."""

    model_config = ConfigDict(frozen=True)

    name: str = "convscope"
    docs: str = "/docs"
    openapi: str = "/openapi.json"
    methods: str = "/v1/methods"
    models: str = "/v1/models"


@router.get(
    "/",
    operation_id="welcome",
    summary="List the addresses to start from, or open the explorer page",
    response_model=Welcome,
    responses={200: {"content": {_HTML: {"schema": {"type": "string"}}}}},
)
async def welcome(request: Request) -> Response:
    """The answer names the addresses of the documentation, the methods and the models. It is the explorer page if `Accept` prefers
    `text/html`, as a browser does."""
    accept = ", ".join(request.headers.getlist("accept")) or None
    if preferred_media_type(accept, (_JSON, _HTML)) == _HTML:
        return _page(request)
    return json_response(Welcome().model_dump_json(), 200, {"Vary": "Accept"})


@router.get("/jobs/{job_id}", include_in_schema=False)
async def job_page(request: Request, job_id: str) -> Response:
    """The page of a job is the explorer page too. Its script asks for the job with the caller's key."""
    return _page(request)


@router.get("/explorer/{name}", include_in_schema=False)
def explorer_file(request: Request, name: str) -> Response:
    found = explorer_files().get(name)
    if found is None:
        raise NotFound(f"The explorer page has no file '{echo(name)}'.", got=echo(name))
    if found.media_type.startswith("text/"):
        return compressed_response(request, found.content, found.media_type, ASSET_HEADERS)
    return Response(found.content, 200, ASSET_HEADERS, found.media_type)


def _page(request: Request) -> Response:
    return Response(explorer_page(str(request.scope.get("root_path", ""))), 200, PAGE_HEADERS, _HTML)
