"""Bind the socket that the service listens on before any process is started."""

from __future__ import annotations

import errno
import ipaddress
import socket

from cli.failure import CommandFailed


def listen(host: str, port: int, *, beyond_loopback: bool) -> socket.socket:
    """Return a listening TCP socket. `beyond_loopback` allows an address that other machines reach.

    Raises:
        CommandFailed: the host is unknown, the port is taken or not allowed, or the address is beyond loopback.
    """
    family, address = _resolved(host, port)
    if not beyond_loopback and not ipaddress.ip_address(address).is_loopback:
        raise CommandFailed(
            f"convscope refuses to listen on {host}, because callers would need no key and anyone who reaches it could use the service. "
            "Make a key with `convscope keys add OWNER` and let CONVSCOPE_AUTH be unset or `required`, listen on 127.0.0.1, "
            "or use --insecure."
        )
    try:
        return socket.create_server((address, port), family=family)
    except OSError as error:
        raise CommandFailed(_why(error, host, port)) from error


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches the address of `host`.

    Raises:
        CommandFailed: the host is unknown.
    """
    return ipaddress.ip_address(_resolved(host, 0)[1]).is_loopback


def port_of(listener: socket.socket) -> int:
    """Return the port that the socket listens on."""
    return int(listener.getsockname()[1])


def _why(error: OSError, host: str, port: int) -> str:
    other = "Choose another with --port or CONVSCOPE_PORT."
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken by another program. {other}"
    if error.errno == errno.EACCES:
        return f"Port {port} on {host} needs privileges. {other}"
    return f"convscope cannot listen on {host}, port {port}: {error.strerror or error}."


def _resolved(host: str, port: int) -> tuple[socket.AddressFamily, str]:
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise CommandFailed(f"The host '{host}' has no address: {error.strerror}.") from error
    return family, str(address[0])
