"""Read an address that a caller names, and look its host up once. The connection then goes to the addresses that were checked."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from pydantic_core import Url, ValidationError

from schemas.url_errors import UrlRefused
from service.echo import echo
from service.outbound.public_addresses import IpAddress, is_public

LONGEST_URL = 2048  # characters
_LOOKUP_SECONDS = 5.0

Resolver = Callable[[str], Awaitable[Collection[str]]]


async def system_resolver(host: str) -> list[str]:
    """Return the IP addresses of a host, as the system finds them.

    Raises:
        OSError: there is no such host.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


@dataclass(frozen=True)
class AddressRules:
    """The addresses that may be opened. The defaults are the only ones that a running service uses; tests open a server of their own.

    Attributes:
        resolve: finds the IP addresses of a host's name.
        allows: tells whether a connection may go to an IP address.
        ports: the ports that may be named.
    """

    resolve: Resolver = system_resolver
    allows: Callable[[IpAddress], bool] = is_public
    ports: frozenset[int] = frozenset({443})


@dataclass(frozen=True)
class CheckedAddress:
    """An address that may be opened.

    Attributes:
        url: the address in its normal form, without a fragment.
        host: the host as the certificate must name it: a name in ASCII, or an IP address without brackets.
        port: the port.
        target: the path and the query, as the first line of a request has them.
        addresses: the checked IP addresses of the host. A connection goes to one of them.
    """

    url: str
    host: str
    port: int
    target: str
    addresses: tuple[IpAddress, ...]

    @property
    def authority(self) -> str:
        """The value of the header `Host`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == 443 else f"{host}:{self.port}"


async def checked_address(text: str, rules: AddressRules, pointer: str | None) -> CheckedAddress:
    """Return the address that `text` names. It is read as browsers read addresses (WHATWG), so every form of an IPv4 address is one.

    Raises:
        UrlRefused: it is no address, or none that may be opened. The error does not say which IP addresses a name has.
    """
    url = _read(text, pointer)
    host, port = (url.host or "").removeprefix("[").removesuffix("]"), url.port or 443
    if url.scheme != "https":
        raise _refused("An address must begin with https://", pointer, allowed="https", got=url.scheme)
    if url.username is not None or url.password is not None:
        raise _refused("An address must have no user name and no password.", pointer, allowed="an address without a user name")
    if port not in rules.ports:
        ports = ", ".join(map(str, sorted(rules.ports)))
        raise _refused(f"An address must have the port {ports}; got {port}.", pointer, allowed=ports, got=str(port))
    if not host or host.endswith("."):
        raise _refused("An address must have the name of a host, without a dot at its end.", pointer, got=echo(host))
    addresses = await _addresses(host, rules)
    if not addresses or not all(map(rules.allows, addresses)):
        raise _refused(
            f"The host {echo(host)} cannot be found, or it has an address that is not public.",
            pointer,
            allowed="a host with public addresses",
            got=echo(host),
        )
    target = (url.path or "/") + (f"?{url.query}" if url.query is not None else "")
    return CheckedAddress(str(url).partition("#")[0], host, port, target, addresses)


def _read(text: str, pointer: str | None) -> Url:
    if len(text) > LONGEST_URL or any(character.isspace() or not character.isprintable() for character in text) or "\\" in text:
        raise _refused(
            f"An address has at most {LONGEST_URL:,} characters, without spaces and backslashes.", pointer, allowed="an https address"
        )
    try:
        return Url(text)
    except ValidationError as error:
        raise _refused(
            f"This is not an address: {error.errors()[0]['msg']}.", pointer, allowed="an https address", got=echo(text)
        ) from None


async def _addresses(host: str, rules: AddressRules) -> tuple[IpAddress, ...]:
    try:
        return (ipaddress.ip_address(host),)
    except ValueError:
        pass
    try:
        async with asyncio.timeout(_LOOKUP_SECONDS):
            return tuple(map(ipaddress.ip_address, await rules.resolve(host)))
    except (OSError, UnicodeError, ValueError):
        return ()


def _refused(detail: str, pointer: str | None, *, allowed: str | None = None, got: str | None = None) -> UrlRefused:
    return UrlRefused(detail, pointer=pointer, allowed=allowed, got=got)
