"""Connect to IP addresses that were checked before, whatever the host's name means by now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import httpcore

from service.outbound.public_addresses import IpAddress


class PinnedNetwork(httpcore.AsyncNetworkBackend):
    """Opens TCP connections to the given addresses only, the first that answers. Names are not looked up.

    httpcore still checks the certificate against the host's name, because it takes that name from the request and not from here.
    """

    def __init__(self, addresses: Sequence[IpAddress]) -> None:
        self._addresses = addresses
        # httpcore has a second class of this name for when anyio is missing, so the type checker does not know which one it is.
        self._network = cast("httpcore.AsyncNetworkBackend", httpcore.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore's interface
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in self._addresses:
            try:
                return await self._network.connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)
