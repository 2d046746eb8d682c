"""The socket that the service listens on, bound before anything is started."""

from __future__ import annotations

import errno
import ipaddress
import socket

from cli.failure import CommandFailed


def listen(host: str, port: int, *, insecure: bool) -> socket.socket:
    """A listening TCP socket; beyond loopback only when the operator insists with `insecure`.

    Raises:
        CommandFailed: the host is unknown, the port is taken or may not be had, or the address is beyond loopback.
    """
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except socket.gaierror as error:
        raise CommandFailed(f"there is no address for host '{host}': {error.strerror}") from error
    if not insecure and not ipaddress.ip_address(address[0]).is_loopback:
        raise CommandFailed(
            f"refusing to listen on {host}: callers need no key, so anyone who reaches it could use the service. "
            "Listen on 127.0.0.1 (behind a proxy that asks who calls), or say --insecure."
        )
    try:
        return socket.create_server((str(address[0]), port), family=family)
    except OSError as error:
        raise CommandFailed(_why(error, host, port)) from error


def port_of(listener: socket.socket) -> int:
    """The port it has: with port 0 asked for, the free one that was found."""
    return int(listener.getsockname()[1])


def _why(error: OSError, host: str, port: int) -> str:
    other = "choose another with --port or CONVSCOPE_PORT"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken: end what listens there, or {other}"
    if error.errno == errno.EACCES:
        return f"port {port} on {host} needs privileges: {other}"
    return f"cannot listen on {host} port {port}: {error.strerror or error}"
