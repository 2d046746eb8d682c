"""Send texts that never change while the service runs with gzip, to callers who accept it. Each is compressed once.

Pictures, arrays, event streams and answers about jobs are sent as they are.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import lru_cache

from fastapi import Request, Response

from service.content_negotiation import parsed_range

_LEAST_BYTES = 1024  # a shorter text is hardly smaller with gzip


def compressed_response(request: Request, content: bytes, media_type: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a constant text, with gzip if the request's `Accept-Encoding` names it and the text is not short."""
    described = {**(headers or {}), "Vary": "Accept-Encoding"}
    if len(content) < _LEAST_BYTES or not accepts_gzip(", ".join(request.headers.getlist("accept-encoding"))):
        return Response(content, 200, described, media_type)
    return Response(_gzipped(content), 200, described | {"Content-Encoding": "gzip"}, media_type)


def accepts_gzip(accept_encoding: str) -> bool:
    """Return True if an `Accept-Encoding` header accepts gzip (RFC 9110, section 12.5.3): by its name, or else by `*`."""
    qualities = dict(parsed_range(part) for part in accept_encoding.split(",") if part.strip())
    return qualities.get("gzip", qualities.get("*", 0.0)) > 0


@lru_cache(maxsize=32)
def _gzipped(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)
