"""What a submission's headers ask for: `Prefer`, `Idempotency-Key`, `Cache-Control`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header


@dataclass(frozen=True)
class RequestPreferences:
    """`wait`: seconds the caller will wait, None where it did not say."""

    wait: float | None
    fresh: bool
    idempotency_key: str | None


async def _preferences(
    prefer: Annotated[
        str | None,
        Header(
            alias="Prefer",
            description="`wait=N`: wait up to N seconds, at most 60; `respond-async`: do not.",
            examples=["wait=30"],
        ),
    ] = None,
    idempotency_key: Annotated[
        str | None,
        Header(
            alias="Idempotency-Key",
            min_length=1,
            max_length=255,
            pattern=r"^[\x20-\x7e]+$",
            description="The same key and submission within 24 hours answers the same job.",
            examples=["b1946ac9"],
        ),
    ] = None,
    cache_control: Annotated[
        str | None,
        Header(alias="Cache-Control", description="`no-cache`: run it though its result is known.", examples=["no-cache"]),
    ] = None,
) -> RequestPreferences:
    return RequestPreferences(_wait(prefer), "no-cache" in _tokens(cache_control), idempotency_key)


def _wait(prefer: str | None) -> float | None:
    """RFC 7240: what is not understood is passed over."""
    tokens = _tokens(prefer)
    for token in tokens:
        if found := re.fullmatch(r'wait\s*=\s*"?(\d{1,9})"?', token):
            return float(found[1])
    return 0.0 if "respond-async" in tokens else None


def _tokens(header: str | None) -> list[str]:
    return [token.strip().lower() for token in re.split(r"[,;]", header or "")]


PreferencesDep = Annotated[RequestPreferences, Depends(_preferences)]
