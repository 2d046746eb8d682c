"""Complete the names of methods and models in a shell."""

from __future__ import annotations

import os

import httpx

from convscope.cli.services import DEFAULT_URL

_SECONDS = 1.0  # a shell must not seem to hang


def complete_method(incomplete: str) -> list[str]:
    """Return the methods that this version of the client knows."""
    from convscope.cli.planning import photo_needs

    return [name for name in photo_needs() if name.startswith(incomplete)]


def complete_model(incomplete: str) -> list[str]:
    """Return the models of the service at CONVSCOPE_URL, or none if it does not answer quickly."""
    key = os.environ.get("CONVSCOPE_KEY")
    url = os.environ.get("CONVSCOPE_URL", DEFAULT_URL).rstrip("/")
    try:
        answer = httpx.get(f"{url}/v1/models", headers={"X-API-Key": key} if key else {}, timeout=_SECONDS)
        models = answer.raise_for_status().json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        return []
    return [model["name"] for model in models if model["name"].startswith(incomplete)]
