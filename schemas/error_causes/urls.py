"""Explain the errors of addresses that the service is to open."""

from __future__ import annotations

from schemas import url_errors
from schemas.error_causes.cause import ErrorCause

URLS = (
    ErrorCause(
        url_errors.UrlRefused(
            "The host 'intranet.example' cannot be found, or it has an address that is not public.",
            pointer="/image/url",
            allowed="a host with public addresses",
            got="intranet.example",
        ),
        "The address is not an `https` address with a name, it has a user name or another port, or its host has no public address. The "
        "service opens public addresses only. The address of a redirect is checked in the same way.",
        "Send an `https` address that everybody can open, or send the file itself.",
    ),
    ErrorCause(
        url_errors.UrlUnavailable("The server of the address answered with the status 404.", pointer="/image/url", got="404"),
        "The server of the address did not answer in time, has no valid certificate, or answered with something other than the file.",
        "Open the address in a browser to see what is wrong, and try again later, or send the file itself.",
    ),
)
