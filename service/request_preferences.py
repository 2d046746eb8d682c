"""Read what the headers of a submission ask for: `Prefer`, `Idempotency-Key` and `Cache-Control`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header


@dataclass(frozen=True)
class RequestPreferences:
    """The preferences that the caller states in headers.

    Attributes:
        wait: seconds that the caller is ready to wait; None if the request does not say.
        fresh: true if an identical earlier result must not answer the request.
        idempotency_key: requests with the same key and the same submission answer the same job.
        respond_async: true if the job itself is the answer where its result is not there in time.
    """

    wait: float | None
    fresh: bool
    idempotency_key: str | None
    respond_async: bool = False


async def _preferences(
    prefer: Annotated[
        str | None,
        Header(
            alias="Prefer",
            description="With `wait=N` the answer waits up to N seconds for the job's end, at most 60. "
            "With `respond-async` it does not wait, and the one-line form answers the job.",
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
            description="A request with the same key and the same submission within 24 hours answers the same job.",
            examples=["b1946ac9"],
        ),
    ] = None,
    cache_control: Annotated[
        str | None,
        Header(
            alias="Cache-Control",
            description="With `no-cache` the job runs even if an identical earlier job has a result or is under way. It takes over "
            "nothing of earlier jobs. It joins an identical job that has not ended only if that one was submitted with `no-cache` too.",
            examples=["no-cache"],
        ),
    ] = None,
) -> RequestPreferences:
    is_async = "respond-async" in _tokens(prefer)
    return RequestPreferences(_wait(prefer), "no-cache" in _tokens(cache_control), idempotency_key, is_async)


def _wait(prefer: str | None) -> float | None:
    """Return the seconds of `wait=N`; 0 for `respond-async`. Preferences that are not understood are ignored (RFC 7240)."""
    tokens = _tokens(prefer)
    for token in tokens:
        if found := re.fullmatch(r'wait\s*=\s*"?(\d{1,9})"?', token):
            return float(found[1])
    return 0.0 if "respond-async" in tokens else None


def _tokens(header: str | None) -> list[str]:
    return [token.strip().lower() for token in re.split(r"[,;]", header or "")]


PreferencesDep = Annotated[RequestPreferences, Depends(_preferences)]
