"""The version of this service, for OpenAPI and for the fingerprint of results."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def service_version() -> str:
    """Return the installed version of convscope; `0` in a checkout that was not installed."""
    try:
        return version("convscope")
    except PackageNotFoundError:
        return "0"
