"""The routes under `/problems`: the `type` of every problem is an address that answers with a page about it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request, Response

from schemas.errors import NotAcceptable, NotFound
from schemas.nearest_names import nearest_hint, nearest_names
from schemas.problem import ProblemKind
from service.content_negotiation import preferred_media_type
from service.echo import echo
from service.problem_kinds import PROBLEM_KINDS
from service.problem_pages import PAGE_HEADERS, html_index, html_page, markdown_page
from service.problems import documented
from service.responses import json_response, list_response

router = APIRouter(tags=["operations"])

_JSON, _HTML, _MARKDOWN = "application/json", "text/html", "text/markdown"
_TEXT: dict[str, Any] = {"schema": {"type": "string"}}


@router.get(
    "/problems",
    operation_id="list_problems",
    summary="List the kinds of problems",
    response_model=list[ProblemKind],
    responses={200: {"content": {_HTML: _TEXT}}} | documented(406),
)
async def list_problems(request: Request) -> Response:
    """The answer is JSON, or a page if `Accept` prefers `text/html`."""
    kinds = PROBLEM_KINDS.values()
    if _media_type(request, _JSON, _HTML) == _HTML:
        return Response(html_index(kinds, _root_path(request)), 200, PAGE_HEADERS, _HTML)
    answer = list_response(tuple(kinds))
    answer.headers.update(PAGE_HEADERS)
    return answer


@router.get(
    "/problems/{code}",
    operation_id="get_problem",
    summary="Read about a kind of problem",
    response_model=ProblemKind,
    responses={200: {"content": {_HTML: _TEXT, _MARKDOWN: _TEXT}}} | documented(404, 406),
)
async def get_problem(
    request: Request, code: Annotated[str, Path(description="This is the `code` of a problem.", examples=["unknown_layer"])]
) -> Response:
    """The `type` of every problem is this address. The answer says why such a problem happens and what to do about it. It is JSON, or a
    page if `Accept` prefers `text/html` or `text/markdown`."""
    kind = PROBLEM_KINDS.get(code)
    if kind is None:
        near = nearest_names(code, PROBLEM_KINDS)
        hint = nearest_hint(near) or " GET /problems lists all kinds."
        raise NotFound(f"There is no kind of problem '{echo(code)}'.{hint}", got=echo(code), nearest=near)
    media_type = _media_type(request, _JSON, _HTML, _MARKDOWN)
    if media_type == _HTML:
        return Response(html_page(kind, _root_path(request)), 200, PAGE_HEADERS, _HTML)
    if media_type == _MARKDOWN:
        return Response(markdown_page(kind), 200, PAGE_HEADERS, _MARKDOWN)
    return json_response(kind.model_dump_json(exclude_none=True), 200, PAGE_HEADERS)


def _media_type(request: Request, *offered: str) -> str:
    accept = ", ".join(request.headers.getlist("accept")) or None
    chosen = preferred_media_type(accept, offered)
    if chosen is None:
        raise NotAcceptable(f"This page is {', '.join(offered)}; the request asks for {accept}.", allowed=", ".join(offered), got=accept)
    return chosen


def _root_path(request: Request) -> str:
    return str(request.scope.get("root_path", ""))
