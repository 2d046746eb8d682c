"""The routes `/openapi.json` and `/docs`, which describe the service's addresses."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from functools import cache, partial
from importlib import resources
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import FileResponse

from service.compressed import compressed_response

SWAGGER_FILES = ("swagger-ui-bundle.js", "swagger-ui.css")
"""The files of Swagger UI that the page `/docs` loads. Each is served below `/docs/`."""


def documents_router(app: FastAPI) -> APIRouter:
    """Return the router for the documents of `app`.

    They take the place of FastAPI's own routes, which build the document on the event loop, in about two seconds, and turn it into JSON
    again for each caller.
    """
    router = APIRouter(include_in_schema=False)

    @cache
    def document() -> bytes:
        return json.dumps(app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()

    def openapi_document(request: Request) -> Response:
        return compressed_response(request, document(), "application/json")

    async def docs(request: Request) -> Response:
        root = request.scope.get("root_path", "")
        script, style = (f"{root}/docs/{name}" for name in SWAGGER_FILES)
        page = get_swagger_ui_html(
            openapi_url=f"{root}/openapi.json",
            title=app.title,
            swagger_js_url=script,
            swagger_css_url=style,
            swagger_favicon_url="data:,",  # without an address, FastAPI's own host would be asked for an icon
        )
        page.headers["Content-Security-Policy"] = _policy_of(bytes(page.body).decode())
        return page

    router.add_api_route("/openapi.json", openapi_document, methods=["GET"])  # it is no coroutine, so it runs on a thread
    router.add_api_route("/docs", docs, methods=["GET"])
    for name in SWAGGER_FILES:
        router.add_api_route(f"/docs/{name}", partial(_swagger_file, name), methods=["GET"])
    return router


async def _swagger_file(name: str) -> Response:
    """Return a file of Swagger UI, which the package fastapi-offline carries."""
    path = Path(str(resources.files("fastapi_offline"))) / "static" / name
    return FileResponse(path, headers={"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"})


def _policy_of(page: str) -> str:
    """Return the policy that lets the page load Swagger UI from this service, and run its own script, known by its hash."""
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}' 'self'; style-src 'unsafe-inline' 'self'; "
        "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
