"""The errors of callers who have no key, whose key does not allow a request, who ask too often or send too slowly, or who send no HTTP."""

from __future__ import annotations

from schemas.errors import VisualizationError


class Unauthenticated(VisualizationError):
    """The request has no key, or no valid one."""

    code, title = "unauthenticated", "A valid API key is required"
    key_was_sent = False

    @property
    def challenge(self) -> str:
        """The value of the header `WWW-Authenticate` (RFC 6750)."""
        return 'Bearer realm="convscope"' + (', error="invalid_token"' if self.key_was_sent else "")


def invalid_key(detail: str) -> Unauthenticated:
    """Return the error for a key or a signature that is not valid."""
    error = Unauthenticated(detail)
    error.key_was_sent = True
    return error


class ScopeMissing(VisualizationError):
    """The key is valid and does not allow this. `allowed` is the scope that is needed."""

    code, title = "scope_missing", "The key does not allow this"

    @property
    def challenge(self) -> str:
        """The value of the header `WWW-Authenticate` (RFC 6750)."""
        return f'Bearer realm="convscope", error="insufficient_scope", scope="{self.allowed}"'


class RateLimited(VisualizationError):
    """The caller has sent too many requests in a short time."""

    code, title, retryable = "rate_limited", "Too many requests", True


class RequestTimeout(VisualizationError):
    """The body of the request did not come in time."""

    code, title = "request_timeout", "The request came too slowly"


class HostNotAllowed(VisualizationError):
    """The request names a host that this service is not."""

    code, title = "host_not_allowed", "The service has another name"


class MalformedRequest(VisualizationError):
    """What came over the connection is not an HTTP/1.1 request, and no route has seen it."""

    code, title = "malformed_request", "Not an HTTP request"
