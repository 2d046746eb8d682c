"""Bind the socket that the service listens on before any process is started."""

from __future__ import annotations

import errno
import ipaddress
import socket

from cli.failure import CommandFailed


def listen(host: str, port: int, *, insecure: bool) -> socket.socket:
    """Return a listening TCP socket. Only `insecure` allows an address beyond loopback.

    Raises:
        CommandFailed: the host is unknown, the port is taken or not allowed, or the address is beyond loopback.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise CommandFailed(f"The host '{host}' has no address: {error.strerror}.") from error
    if not insecure and not ipaddress.ip_address(address[0]).is_loopback:
        raise CommandFailed(
            f"convscope refuses to listen on {host}: callers need no key, so anyone who reaches it could use the service. "
            "Listen on 127.0.0.1 (behind a proxy that checks who calls), or use --insecure."
        )
    try:
        return socket.create_server((str(address[0]), port), family=family)
    except OSError as error:
        raise CommandFailed(_why(error, host, port)) from error


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
