"""The address of the one-line form, `/v1/grad_cam` and so on: one route for all methods, which matches their names alone.

FastAPI takes some milliseconds for each route when it starts, and looks at one route after the other for each request.
"""

from __future__ import annotations

from typing import Any

from starlette.convertors import StringConvertor, register_url_convertor
from starlette.types import Scope

from schemas.methods import METHODS


class _VisualizationName(StringConvertor):
    regex = "|".join(METHODS)


register_url_convertor("visualization", _VisualizationName())
ONE_LINE_PATH = "/v1/{method:visualization}"


def route_name(scope: Scope) -> str:
    """Return the path of the route that a request has reached, or `unmatched`. For the one-line form it names the method."""
    route: Any = scope.get("route")
    if route is None:
        return "unmatched"
    return str(scope["path"] if route.path == ONE_LINE_PATH else route.path)
