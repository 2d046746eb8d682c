"""Send requests to addresses that callers name, bounded in time, bytes and redirects."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urljoin

import httpcore

from schemas.errors import BodyTooLarge
from schemas.url_errors import UrlRefused, UrlUnavailable
from service.outbound.address import AddressRules, CheckedAddress, checked_address
from service.outbound.pinned_network import PinnedNetwork
from service.version import service_version

MOST_REDIRECTS = 3
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONNECT_SECONDS = 5.0  # for each IP address of a host
_MOST_AT_ONCE = 16  # requests of this process


@dataclass(frozen=True)
class OutboundAnswer:
    """The answer of another server: its status, its headers with names in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class OutboundClient:
    """Opens a new connection for each request. It uses no proxy of the environment, no cookies and no credentials.

    Args:
        rules: the addresses that may be opened.
        ssl_context: the certificates that are trusted. Without it, they are the system's.
    """

    def __init__(self, rules: AddressRules | None = None, ssl_context: ssl.SSLContext | None = None) -> None:
        self._rules = rules or AddressRules()
        self._given_context = ssl_context
        self._turns = asyncio.Semaphore(_MOST_AT_ONCE)

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        return self._given_context or ssl.create_default_context()

    async def get(self, url: str, *, seconds: float, max_bytes: int, accept: str, pointer: str | None) -> bytes:
        """Return the content at an address. Redirects are followed, at most three, and each new address is checked like the first.

        Raises:
            UrlRefused: the address, or one that it redirects to, may not be opened.
            UrlUnavailable: the server does not answer in time with status 200.
            BodyTooLarge: it sends more than `max_bytes`.
        """
        headers = {"Accept": accept, "Accept-Encoding": "identity"}
        async with self._turns:
            try:
                async with asyncio.timeout(seconds):
                    return await self._follow(url, headers, max_bytes, pointer)
            except TimeoutError:
                detail = f"The address did not answer within {seconds:g} s."
                raise UrlUnavailable(detail, pointer=pointer, allowed=f"{seconds:g} s") from None

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float, max_bytes: int) -> OutboundAnswer:
        """Send a body to an address and return the answer. A redirect is an answer like any other, and is not followed.

        Raises:
            UrlRefused: the address may not be opened.
            UrlUnavailable: the server does not answer in time.
            BodyTooLarge: it answers with more than `max_bytes`.
        """
        async with self._turns:
            try:
                async with asyncio.timeout(seconds):
                    address = await checked_address(url, self._rules, None)
                    return await self._exchange("POST", address, headers, body, max_bytes=max_bytes)
            except TimeoutError:
                raise UrlUnavailable(f"The address did not answer within {seconds:g} s.") from None

    async def check(self, url: str, pointer: str) -> None:
        """Raise `UrlRefused` if the address may not be opened now."""
        await checked_address(url, self._rules, pointer)

    async def _follow(self, url: str, headers: Mapping[str, str], max_bytes: int, pointer: str | None) -> bytes:
        for _ in range(MOST_REDIRECTS + 1):
            address = await checked_address(url, self._rules, pointer)
            answer = await self._exchange("GET", address, headers, None, max_bytes=max_bytes, pointer=pointer)
            if answer.status == 200:
                return answer.body
            location = answer.headers.get("location")
            if answer.status not in _REDIRECTS or location is None:
                detail = f"The server of the address answered with the status {answer.status}."
                raise UrlUnavailable(detail, pointer=pointer, allowed="200", got=str(answer.status))
            url = urljoin(address.url, location)
        detail = f"The address redirects more than {MOST_REDIRECTS} times."
        raise UrlRefused(detail, pointer=pointer, allowed=f"at most {MOST_REDIRECTS} redirects")

    async def _exchange(
        self,
        method: str,
        address: CheckedAddress,
        headers: Mapping[str, str],
        body: bytes | None,
        *,
        max_bytes: int,
        pointer: str | None = None,
    ) -> OutboundAnswer:
        network = PinnedNetwork(address.addresses)
        sent = {"Host": address.authority, "User-Agent": f"convscope/{service_version()}", "Connection": "close", **headers}
        target = httpcore.URL(scheme=b"https", host=address.host.encode(), port=address.port, target=address.target.encode())
        pairs = [(name.encode(), value.encode()) for name, value in sent.items()]
        timeouts = {"connect": _CONNECT_SECONDS}
        try:
            async with (
                httpcore.AsyncConnectionPool(ssl_context=self._ssl_context, network_backend=network, retries=0) as pool,
                pool.stream(method, target, headers=pairs, content=body, extensions={"timeout": timeouts}) as response,
            ):
                received = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
                content = await _content(response, received, max_bytes, pointer) if response.status not in _REDIRECTS else b""
                return OutboundAnswer(response.status, received, content)
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, ssl.SSLError) as error:
            detail = f"The connection to {address.authority} failed: {_reason(error)}."
            raise UrlUnavailable(detail, pointer=pointer, got=_reason(error)) from error


async def _content(response: httpcore.Response, headers: Mapping[str, str], max_bytes: int, pointer: str | None) -> bytes:
    """Return the body. It is counted while it arrives, whatever its declared length is, and it is never decompressed."""
    if headers.get("content-encoding", "identity").lower() != "identity" and response.status == 200:
        raise UrlUnavailable("The server of the address sent a compressed body, which was not asked for.", pointer=pointer)
    content = bytearray()
    async for chunk in response.aiter_stream():
        content += chunk
        if len(content) > max_bytes:
            allowed = f"at most {max_bytes} bytes"
            raise BodyTooLarge(f"What is at the address has more than {max_bytes:,} bytes.", pointer=pointer, allowed=allowed)
    return bytes(content)


def _reason(error: Exception) -> str:
    """Return words that tell the caller what has failed, and nothing about this machine's network."""
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "its certificate is not valid for this host"
    if isinstance(error, httpcore.ConnectError | httpcore.ConnectTimeout):
        return "no connection could be made"
    return "the connection broke" if isinstance(error, httpcore.NetworkError) else "it does not speak HTTP as it should"
