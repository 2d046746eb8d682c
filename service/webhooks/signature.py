"""Sign webhooks as Standard Webhooks 1.0 says."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence


def signed_headers(secrets: Sequence[str], message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of a signed webhook: its id, the time of this attempt in seconds since 1970, and one signature for each secret.

    A signature is the HMAC-SHA256 of `<id>.<timestamp>.<body>` in base64, after `v1,`. A secret is `whsec_` and base64.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    signatures = [hmac.digest(base64.b64decode(secret.removeprefix("whsec_")), signed, hashlib.sha256) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(each).decode()}" for each in signatures),
    }
