"""Sign addresses for `<img>` and `EventSource`, which cannot send a key: `?signature=…&expires=…` lets a GET in for at most an hour."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from urllib.parse import unquote

from jobstore.signing_secrets import DAY, SigningSecrets
from schemas.access_errors import invalid_key

LIFE = 3600  # seconds
_ROUND = 300  # seconds; addresses of one artifact stay equal for so long, so that a browser's cache finds them
_SIGNATURE = re.compile(r"([0-9a-z]{12})\.[A-Za-z0-9_-]{43}")

Sign = Callable[[str], str]


class AddressSigner:
    """Signs paths for the holder of a key, and checks the signatures.

    A signature names the key, so that revoking the key ends its addresses, too. It holds for one path and any query beside it.
    """

    def __init__(self, secrets: SigningSecrets) -> None:
        self._secrets = secrets
        self._remembered: dict[int, bytes] = {}

    async def signing_for(self, key_id: str) -> Sign:
        """Return a function that adds the signature of this key to a path.

        Raises:
            BrokerUnavailable: Redis does not answer. It is asked once a day.
        """
        expires = (int(time.time()) + LIFE) // _ROUND * _ROUND
        day = expires // DAY
        if day not in self._remembered:
            self._remembered = {each: secret for each, secret in self._remembered.items() if each >= day - 1}
            self._remembered[day] = await self._secrets.of_day(day)
        secret = self._remembered[day]
        return lambda path: f"{path}?signature={_signature(secret, key_id, unquote(path), expires)}&expires={expires}"

    async def check(self, path: str, signature: str, expires: str) -> str:
        """Return the id of the key that has signed `path`, which is as the server has decoded it.

        Raises:
            Unauthenticated: the address has expired, or its signature is not valid.
            BrokerUnavailable: Redis does not answer.
        """
        found = _SIGNATURE.fullmatch(signature)
        if found is None or not re.fullmatch(r"[0-9]{1,11}", expires):
            raise invalid_key("The signature of this address is not valid.")
        until = int(expires)
        if until <= time.time():
            raise invalid_key("This signed address has expired. Ask for the job again to get a new one.")
        secret = self._remembered.get(until // DAY) or await self._secrets.known(until // DAY)
        if secret is None or not hmac.compare_digest(signature, _signature(secret, found[1], path, until)):
            raise invalid_key("The signature of this address is not valid.")
        return found[1]


def _signature(secret: bytes, key_id: str, path: str, expires: int) -> str:
    digest = hmac.new(secret, f"{key_id}\n{expires}\n{path}".encode(), hashlib.sha256).digest()
    return f"{key_id}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"
