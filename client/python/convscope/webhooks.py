"""Check that a webhook comes from the service (Standard Webhooks, https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from convscope.errors import ConvscopeError

TOLERANCE_SECONDS = 300
_PREFIX = "whsec_"


class WebhookVerificationError(ConvscopeError):
    """The request is not a webhook of the service, or it is too old."""


def verify(payload: bytes | str, headers: Mapping[str, str], secret: str, *, now: float | None = None) -> dict[str, Any]:
    """Return the content of a webhook if its signature is right.

    Args:
        payload: the body of the request exactly as it came, before any parsing.
        headers: the headers of the request. `webhook-id`, `webhook-timestamp` and `webhook-signature` are read; case does not matter.
        secret: the secret of the webhook, in base64, with or without `whsec_`.
        now: the time in seconds since 1970; None takes the clock.

    Raises:
        WebhookVerificationError: a header is missing, no signature fits, the time is more than five minutes away, or the body is no JSON
            object.
        ValueError: the secret is not base64, or it is empty.
    """
    body = payload.encode() if isinstance(payload, str) else payload
    given = {name.lower(): value for name, value in headers.items()}
    missing = [name for name in ("webhook-id", "webhook-timestamp", "webhook-signature") if not given.get(name)]
    if missing:
        raise WebhookVerificationError(f"The request has no header {' and no header '.join(missing)}.")
    _check_time(given["webhook-timestamp"], time.time() if now is None else now)
    signed = f"{given['webhook-id']}.{given['webhook-timestamp']}.".encode() + body
    expected = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    # A header holds several signatures with a space between while the sender changes its secret.
    if not any(hmac.compare_digest(expected, each) for each in _signatures(given["webhook-signature"])):
        raise WebhookVerificationError("No signature of the request fits the secret and the body.")
    try:
        content: Any = json.loads(body)
    except ValueError:
        raise WebhookVerificationError("The body of the request is no JSON.") from None
    if not isinstance(content, dict):
        raise WebhookVerificationError("The body of the request is no JSON object.")
    return content  # pyright: ignore[reportUnknownVariableType]


def _check_time(timestamp: str, now: float) -> None:
    if not (timestamp.isascii() and timestamp.isdigit()):
        raise WebhookVerificationError(f"webhook-timestamp must be seconds since 1970; got {timestamp[:40]!r}.")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise WebhookVerificationError(f"The webhook's time is more than {TOLERANCE_SECONDS} s away from the clock of this machine.")


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not key:
        raise ValueError("The secret must be base64, with or without whsec_ before it.")
    return key


def _signatures(header: str) -> list[bytes]:
    found: list[bytes] = []
    for signature in header.split():
        version, _, value = signature.partition(",")
        if version == "v1":
            try:
                found.append(base64.b64decode(value, validate=True))
            except binascii.Error:
                continue
    return found
