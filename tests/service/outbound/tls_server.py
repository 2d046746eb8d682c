"""A real TLS server on loopback, with a certificate of an authority that only the tests trust, and a client that may reach it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

import trustme

from service.outbound.address import AddressRules
from service.outbound.client import OutboundClient
from service.outbound.public_addresses import IpAddress

HOST = "photos.example"


@cache
def _authority() -> trustme.CA:
    return trustme.CA()


@cache
def _certificate(*names: str) -> trustme.LeafCert:
    return _authority().issue_cert(*names)


@dataclass
class TlsServer:
    """A server that gives the answers of `answers` by path, and notes the requests.

    An answer is the bytes of the whole response. If it ends with `...`, the rest never comes.
    """

    port: int = 0
    authority: trustme.CA = field(default_factory=_authority)
    answers: dict[str, bytes] = field(default_factory=dict[str, bytes])
    requests: list[bytes] = field(default_factory=list[bytes])
    hosts: dict[str, list[str]] = field(default_factory=lambda: {HOST: ["127.0.0.1"]})

    def url(self, path: str, host: str = HOST) -> str:
        return f"https://{host}:{self.port}{path}"

    def client(self, allows: Callable[[IpAddress], bool] | None = None, *, trusted: bool = True) -> OutboundClient:
        """Return a client that finds `hosts`, trusts this server, and may also reach 127.0.0.1 unless `allows` says otherwise."""
        context = ssl.create_default_context()
        if trusted:
            self.authority.configure_trust(context)
        rules = AddressRules(self.resolve, allows or (lambda address: str(address) == "127.0.0.1"), frozenset({443, self.port}))
        return OutboundClient(rules, context)

    async def resolve(self, host: str) -> list[str]:
        if host not in self.hosts:
            raise OSError("no such host")
        return self.hosts[host]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0)
        self.requests.append(head + await reader.readexactly(length))
        answer = self.answers[head.split(b" ")[1].decode()]
        writer.write(answer.removesuffix(b"..."))
        await writer.drain()
        if answer.endswith(b"..."):
            await reader.read()
        writer.close()


@asynccontextmanager
async def tls_server(*names: str) -> AsyncIterator[TlsServer]:
    """Yield a server whose certificate names `photos.example`, or other hosts."""
    made = TlsServer()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _certificate(*(names or (HOST,))).configure_cert(context)
    server = await asyncio.start_server(made._serve, "127.0.0.1", 0, ssl=context)
    made.port = server.sockets[0].getsockname()[1]
    async with server:
        yield made


def ok(body: bytes, *headers: str) -> bytes:
    """Return a response with the status 200."""
    lines = ["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def redirect(to: str, status: int = 302) -> bytes:
    """Return a response that sends the caller to another address."""
    return f"HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n".encode()
