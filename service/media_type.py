"""The media type of a request's body, and the error for one that is not accepted."""

from __future__ import annotations

from fastapi import Request

from schemas.errors import UnsupportedFormat
from service.echo import echo


def media_type_of(request: Request) -> str:
    """Return the media type of the body without its parameters, in lower case; empty if the request names none."""
    return request.headers.get("content-type", "").split(";", 1)[0].strip().lower()


def unsupported_media_type(media_type: str, *allowed: str) -> UnsupportedFormat:
    """Return the error that says which media types are accepted."""
    return UnsupportedFormat(
        f"Content-Type must be {' or '.join(allowed)}; got {echo(media_type) or 'none'}.",
        allowed=", ".join(allowed),
        got=media_type or None,
    )
