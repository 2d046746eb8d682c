from __future__ import annotations

import socket

import pytest

from cli.failure import CommandFailed
from cli.listening import listen, port_of


def test_port_0_is_a_free_port_that_accepts_connections() -> None:
    with (
        listen("127.0.0.1", 0, beyond_loopback=False) as listener,
        socket.create_connection(("127.0.0.1", port_of(listener)), timeout=5) as caller,
    ):
        accepted, _ = listener.accept()
        accepted.sendall(b"x")
        accepted.close()
        assert caller.recv(1) == b"x"


def test_a_taken_port_is_refused_with_advice() -> None:
    with listen("127.0.0.1", 0, beyond_loopback=False) as first:
        port = port_of(first)
        with pytest.raises(CommandFailed, match=rf"Port {port} on 127.0.0.1 is taken.*CONVSCOPE_PORT"):
            listen("127.0.0.1", port, beyond_loopback=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])  # noqa: S104 - these are refused
def test_beyond_loopback_is_refused(host: str) -> None:
    with pytest.raises(CommandFailed, match=r"refuses to listen on .*--insecure"):
        listen(host, 0, beyond_loopback=False)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.9.10"])
def test_all_of_loopback_is_allowed(host: str) -> None:
    with listen(host, 0, beyond_loopback=False) as listener:
        assert listener.getsockname()[0].startswith("127.")


def test_an_unknown_host_is_refused() -> None:
    with pytest.raises(CommandFailed, match=r"host 'no-such-host\.invalid' has no address"):
        listen("no-such-host.invalid", 0, beyond_loopback=False)
