"""Open redis-py's clients for an address: of one server, of a server that Sentinels watch, and of a Redis Cluster."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# redis-py leaves its **kwargs without types, and replies are whatever Redis answers.
from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.cluster import ClusterNode, PipelineCommand
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.cluster import PRIMARY

from jobstore.redis_address import RedisAddress

CONNECT_TIMEOUT = 2.0  # how long opening a connection may take, seconds; short enough to try a second Sentinel or node

RedisClient = Redis | RedisCluster


def open_client(address: RedisAddress, most_connections: int) -> RedisClient:
    """Return a client that opens at most `most_connections` connections (to each node of a cluster). It connects when it is first used.

    A connection that is lost, or that does not open within `CONNECT_TIMEOUT`, is opened again and the command is repeated once. A
    cluster's client also reads again which node has which slot.

    The client does not decode replies, because pictures are bytes, and has no `socket_timeout`: with one, redis-py 8 sends through
    `asyncio.wait_for`, which may swallow a cancellation on Python 3.11 (CPython issue 86296). The caller limits the time of an answer.
    """
    options: dict[str, Any] = {
        **address.credentials,
        **_transport(address),
        "max_connections": most_connections,
        "retry": Retry(ExponentialBackoff(cap=0.2, base=0.05), 1),
    }
    if address.kind == "cluster":
        nodes = [ClusterNode(host, port) for host, port in address.hosts]
        # A redirection (MOVED) corrects the slot that has moved. redis-py would also close all connections at every fifth one.
        return RedirectedCluster(startup_nodes=nodes, reinitialize_steps=0, **options)
    if address.kind == "sentinel":
        sentinel_options = {**address.sentinel_credentials, **_transport(address), "retry": Retry(NoBackoff(), 0)}
        sentinel = SerialSentinel(address.hosts, sentinel_kwargs=sentinel_options)
        return sentinel.master_for(address.service or "", db=address.database, **options)
    if address.path is not None:
        return Redis(unix_socket_path=address.path, db=address.database, **options)
    [(host, port)] = address.hosts
    return Redis(host=host, port=port, db=address.database, **options)


async def close_client(client: RedisClient) -> None:
    """Close the client's connections, and those to its Sentinels."""
    await client.aclose()
    if isinstance(client, Redis) and isinstance(client.connection_pool, SentinelConnectionPool):
        await client.connection_pool.sentinel_manager.aclose()


def _transport(address: RedisAddress) -> dict[str, Any]:
    return {"socket_timeout": None, "socket_connect_timeout": CONNECT_TIMEOUT, "ssl": address.tls, **address.tls_options}


class SerialSentinel(Sentinel):
    """redis-py's list of Sentinels, asked by one connection at a time.

    redis-py moves the Sentinel that answers to the front of the list. Two connections that do this at once may lose another Sentinel.
    """

    def __init__(self, sentinels: Sequence[tuple[str, int]], **options: Any) -> None:
        super().__init__(sentinels, **options)
        self._turn = asyncio.Lock()

    async def discover_master(self, service_name: str) -> Any:
        """Return the address of the server that the Sentinels hold for the master now."""
        async with self._turn:
            return await super().discover_master(service_name)


class RedirectedCluster(RedisCluster):
    """redis-py's cluster client, with three corrections for redis-py 8.1.

    The first commands, too, go to the nodes of their keys. redis-py sends those that come before it knows the cluster to any node.

    The key of XREAD is known without asking a node. redis-py asks the node that it found first (COMMAND GETKEYS), for each read, and
    never asks another one if that node has died.

    A command that is redirected while its slot moves (ASK) follows on the connection that sent ASKING. redis-py may send the two on two
    connections, and fails if the new node has no slots yet (redis-py issue 4015).
    """

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command to the node of its keys, and follow redirections."""
        await self.initialize()
        return await super().execute_command(*args, **options)

    async def _determine_slot(self, command: str, *args: Any) -> int:
        if command == "XREAD":
            return self.keyslot(args[-2])
        return await super()._determine_slot(command, *args)

    def get_node(self, host: str | None = None, port: int | None = None, node_name: str | None = None) -> Any:
        """Return a node by its address, or by its name (`host:port`) as redis-py does when it follows ASK."""
        node = super().get_node(host, port, node_name)
        if node_name is None:
            return node
        if node is None:
            name, _, number = node_name.rpartition(":")
            node = ClusterNode(name, int(number), PRIMARY, **self.connection_kwargs)
            self.nodes_manager.set_nodes(self.nodes_manager.nodes_cache, {node_name: node})
        return _AskedNode(node)


class _AskedNode:
    """A node that owns a slot only in part: each command to it is sent together with ASKING."""

    def __init__(self, node: ClusterNode) -> None:
        self._node = node

    def __getattr__(self, name: str) -> Any:
        return getattr(self._node, name)

    async def execute_command(self, *args: Any, **_options: Any) -> Any:
        if args == ("ASKING",):
            return None  # it is sent with the command that follows
        asking, command = PipelineCommand(0, "ASKING"), PipelineCommand(1, *args)
        await self._node.execute_pipeline([asking, command])
        for reply in (asking.result, command.result):
            if isinstance(reply, Exception):
                raise reply
        return command.result
