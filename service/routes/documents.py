"""The routes `/openapi.json` and `/docs`, which describe the service's addresses."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html

from service.responses import json_response

_ASSETS = "https://cdn.jsdelivr.net"


def documents_router(app: FastAPI) -> APIRouter:
    """Return the router for the documents of `app`.

    They take the place of FastAPI's own routes, which build the document on the event loop, in about two seconds, and turn it into JSON
    again for each caller.
    """
    router = APIRouter(include_in_schema=False)

    @cache
    def document() -> str:
        return json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":"))

    def openapi_document() -> Response:
        return json_response(document())

    async def docs(request: Request) -> Response:
        page = get_swagger_ui_html(openapi_url=f"{request.scope.get('root_path', '')}/openapi.json", title=app.title)
        page.headers["Content-Security-Policy"] = _policy_of(bytes(page.body).decode())
        return page

    router.add_api_route("/openapi.json", openapi_document, methods=["GET"])  # it is no coroutine, so it runs on a thread
    router.add_api_route("/docs", docs, methods=["GET"])
    return router


def _policy_of(page: str) -> str:
    """Return the policy that lets the page load Swagger UI from where FastAPI points to, and run its own script, known by its hash."""
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}' {_ASSETS}; style-src 'unsafe-inline' {_ASSETS}; "
        "img-src data: https://fastapi.tiangolo.com; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
