"""Say which scope an operation needs, and which quota it takes from.

An operation that is not named here needs a key, so a new route cannot be open by mistake.
"""

from __future__ import annotations

from typing import Literal

from schemas.access import Scope
from service.one_line_address import ONE_LINE_PATH

# These answer without a key: health for load balancers, and documents that are the same for everybody.
OPEN_PATHS = frozenset(
    {
        *("/", "/livez", "/readyz", "/openapi.json", "/docs", "/docs/swagger-ui-bundle.js", "/docs/swagger-ui.css"),
        *("/problems", "/problems/{code}"),
        *("/jobs/{job_id}", "/explorer/{name}"),  # the page is the same for everybody; what it shows needs the key
    }
)
_ADMIN_FOLDER = "/v1/keys"
_SIGNING_PATH = "/v1/webhooks/secret"
_SUBMIT = frozenset({"/v1/jobs", "/v1/jobs.zip", "/v1/batches", "/v1/{method}.json", ONE_LINE_PATH})
_MODEL = "/v1/models/{model}"


def required_scope(method: str, path: str) -> Scope | None:
    """Return the scope that a request needs, or None if it needs no key.

    Args:
        method: the HTTP method, in capitals.
        path: the path of the route as OpenAPI shows it, for example `/v1/jobs/{job_id}`.
    """
    if path in OPEN_PATHS:
        return None
    if path == _SIGNING_PATH:
        return "submit"  # whoever has the secret can write webhooks in the service's name
    reads = method in ("GET", "HEAD")
    if path == _ADMIN_FOLDER or path.startswith(f"{_ADMIN_FOLDER}/") or changes_models(method, path):
        return "admin"
    return "read" if reads else "submit"


def changes_models(method: str, path: str) -> bool:
    """Tell whether the operation uploads or deletes a model."""
    return path == _MODEL and method not in ("GET", "HEAD")


def counted_as(method: str, path: str) -> Literal["submissions", "reads"]:
    """Return the quota that a request takes from: `submissions` if it submits jobs, `reads` for every other request.

    Args:
        method: the HTTP method, in capitals.
        path: the path of the route as OpenAPI shows it.
    """
    return "submissions" if method == "POST" and path in _SUBMIT else "reads"
