"""The errors of addresses that a caller names and that the service is to open."""

from __future__ import annotations

from schemas.errors import VisualizationError


class UrlRefused(VisualizationError):
    """The service does not open this address."""

    code, title = "url_refused", "The address is not allowed"


class UrlUnavailable(VisualizationError):
    """The server at the address did not give what was asked for."""

    code, title, retryable = "url_unavailable", "The address does not answer as it should", True
