"""Describe in the OpenAPI document which operations need a key, how it is sent, and how a request without one is answered."""

from __future__ import annotations

from typing import Any

from service.access_rules import required_scope
from service.problems import documented

_SCHEMES: dict[str, Any] = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key: `Authorization: Bearer cs_…`."},
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key: `X-API-Key: cs_…`."},
}
_SIGNATURE: dict[str, Any] = {
    "type": "apiKey",
    "in": "query",
    "name": "signature",
    "description": "The signature in an address that the service has handed out, beside `expires`. It lets a GET in, for an hour at most.",
}
_SIGNED_FOLDERS = ("/v1/jobs/{job_id}", "/v1/images/{image_id}")


def describe_access(document: dict[str, Any], *, key_required: bool) -> None:
    """Add the ways to send a key to the document, and to each operation what it needs and the problems 401, 403, 429 and 503.

    If `key_required` is false, operations that any caller may use without a key are described so.
    """
    document["components"]["securitySchemes"] = {**_SCHEMES, "signature": _SIGNATURE}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            scope = required_scope(method.upper(), path)
            if scope is None:
                operation["security"] = []
                continue
            ways: list[dict[str, list[str]]] = [{name: []} for name in _SCHEMES]
            if method == "get" and path.startswith(_SIGNED_FOLDERS):
                ways.append({"signature": []})
            operation["security"] = ways if key_required or scope == "admin" else [*ways, {}]
            operation["description"] = f"{operation.get('description', '')}\n\nA key needs the scope `{scope}`.".strip()
            operation["responses"] |= {str(status): answer for status, answer in documented(401, 403, 429, 503).items()}
