"""Real Redis servers for the tests: single ones, and a Redis Cluster of three nodes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Self

from redis import Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.exceptions import RedisError
from redis.retry import Retry

from jobstore.redis_address import read_address
from processes.child_process import ChildProcess
from processes.ports import free_port
from processes.redis_program import find_redis_server
from tests.wait import wait_until

# The shards 0, 1 and 2 are in slots 13907, 9842 and 5649, so that each node has one of three shards.
KEPT_BY_THE_SWEEP = (
    "files:all", "garbage:all", "stored:all", "ended:all", "evictions:all", "drained:all", "announcements:(all|changes)",
    "(running|wakeup|returned):(fast|slow)", "(queue|waiting):(fast|slow):(high|normal|low)",
)  # fmt: skip
SLOTS = ((0, 5999), (6000, 11999), (12000, 16383))


def open_redis(url: str) -> Any:
    """Return a client without asyncio for an address as convscope takes it, of a server or a cluster."""
    address = read_address(url)
    if address.kind == "cluster":
        return RedisCluster(startup_nodes=[ClusterNode(*host) for host in address.hosts])
    return Redis.from_url(url)


@contextmanager
def each_server(url: str) -> Iterator[list[Redis]]:
    """Yield a client for each server that the address names."""
    address = read_address(url)
    options: dict[str, Any] = {**address.credentials, "db": address.database}
    with ExitStack() as stack:
        yield [stack.enter_context(Redis(host=host, port=port, **options)) for host, port in address.hosts]


def clients_of(url: str) -> dict[str, int]:
    """Return how many clients are connected and how many of them wait in blocking commands, over all servers."""
    with each_server(url) as servers:
        found = [server.info("clients") for server in servers]
    return {name: sum(each[name] for each in found) for name in ("connected_clients", "blocked_clients")}


def is_kept_by_the_sweep(key: str) -> bool:
    """Tell whether a key is one of those that a shard has once and whose lives `keep_shared.lua` renews."""
    return re.fullmatch(r"convscope:\{\d+\}:(" + "|".join(KEPT_BY_THE_SWEEP) + ")", key) is not None


@contextmanager
def empty_redis(url: str) -> Iterator[str]:
    """Empty a Redis before and after a test. At its end, every key must have a time to live, but those that a shard has once:
    these may have come since `keep_shared.lua` ran last.
    """
    with each_server(url) as servers:
        for server in servers:
            server.flushall()
        yield url
        eternal = [key.decode() for server in servers for key in server.scan_iter(count=1000) if server.ttl(key) == -1]
        eternal = [key for key in eternal if not is_kept_by_the_sweep(key)]
        for server in servers:
            server.flushall()
    assert not eternal, f"These keys have no time to live: {sorted(eternal)}"


class RedisServer:
    """A `redis-server` on loopback, which starts when it is made and keeps its data in a folder of its own."""

    def __init__(self, folder: Path, *, words: Sequence[str] = (), **options: object) -> None:
        """Start a server. `words` are its first arguments, and `options` are settings of redis.conf with `_` for `-`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.options = options
        settings = {"port": self.port, "bind": "127.0.0.1", "dir": folder, "save": "", "logfile": folder / "log", **options}
        given = [text for name, value in settings.items() for text in (f"--{name.replace('_', '-')}", *_texts(value))]
        self._process = ChildProcess("redis-server", [str(find_redis_server()), *words, *given], log=Path(os.devnull))
        try:
            with self.client() as redis:
                wait_until(lambda: _answers(redis))
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        return self._process.pid

    def client(self) -> Redis:
        """Return a client that does not retry and does not follow redirections."""
        return Redis(port=self.port, socket_timeout=5, retry=Retry(NoBackoff(), 0))

    def ask(self, *words: str | int) -> Any:
        """Send one command to this server."""
        with self.client() as redis:
            return redis.execute_command(*words)

    def info(self, section: str) -> dict[str, Any]:
        with self.client() as redis:
            return dict(redis.info(section))

    def kill(self) -> None:
        """End the server with SIGKILL, as a crash would."""
        self._process.kill()


class ClusterServers:
    """A Redis Cluster: one master for each range of `SLOTS`, and as many replicas of each as asked for."""

    def __init__(self, folder: Path, replicas: int = 0) -> None:
        self.masters: list[RedisServer] = []
        self.replicas: list[RedisServer] = []
        try:
            for number, (first, last) in enumerate(SLOTS):
                self.masters.append(self._start(folder / f"master{number}"))
                self.masters[-1].ask("CLUSTER", "ADDSLOTSRANGE", first, last)
            self.replicas = [self._start(folder / f"replica{number}") for number in range(replicas * len(SLOTS))]
            self._meet()
        except BaseException:
            self.kill()
            raise

    @property
    def url(self) -> str:
        return f"redis+cluster://{','.join(f'127.0.0.1:{master.port}' for master in self.masters)}"

    def add_master(self, folder: Path) -> RedisServer:
        """Start another master, which has no slots yet, and wait until the others know it."""
        self.masters.append(self._start(folder))
        self._meet()
        return self.masters[-1]

    def kill(self) -> None:
        for server in (*self.masters, *self.replicas):
            server.kill()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def _start(self, folder: Path) -> RedisServer:
        return RedisServer(folder, cluster_enabled="yes", cluster_port=free_port(), cluster_node_timeout=1000, appendonly="no")

    def _meet(self) -> None:
        """Let all servers know each other, and make the replicas replicas."""
        servers = (*self.masters, *self.replicas)
        for server in servers[1:]:
            server.ask("CLUSTER", "MEET", "127.0.0.1", servers[0].port, str(servers[0].options["cluster_port"]))
        wait_until(lambda: all(_known(server) == len(servers) for server in servers))
        for number, replica in enumerate(self.replicas):
            replica.ask("CLUSTER", "REPLICATE", self.masters[number % len(SLOTS)].ask("CLUSTER", "MYID").decode())
        wait_until(lambda: all(replica.info("replication").get("master_link_status") == "up" for replica in self.replicas))
        wait_until(lambda: all(b"cluster_state:ok" in server.ask("CLUSTER", "INFO") for server in servers))


class SentinelServers:
    """A master with a replica, and three Sentinels that watch them under the name `mymaster`."""

    def __init__(self, folder: Path) -> None:
        self._running = ExitStack()
        try:
            self.master = self._start(folder / "master")
            self.replica = self._start(folder / "replica", replicaof=("127.0.0.1", self.master.port))
            wait_until(lambda: self.replica.info("replication").get("master_link_status") == "up")
            self.sentinels = [self._sentinel(folder, number) for number in range(3)]
            wait_until(lambda: all(len(each.ask("SENTINEL", "SENTINELS", "mymaster")) == 2 for each in self.sentinels))
            wait_until(lambda: all(len(each.ask("SENTINEL", "REPLICAS", "mymaster")) == 1 for each in self.sentinels))
        except BaseException:
            self._running.close()
            raise

    @property
    def url(self) -> str:
        return f"redis+sentinel://{','.join(f'127.0.0.1:{each.port}' for each in self.sentinels)}/mymaster/0"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def _sentinel(self, folder: Path, number: int) -> RedisServer:
        file = folder / f"sentinel{number}.conf"
        file.write_text(
            f"sentinel monitor mymaster 127.0.0.1 {self.master.port} 2\nsentinel down-after-milliseconds mymaster 500\n"
            "sentinel failover-timeout mymaster 3000\n"
        )
        return self._start(folder / f"sentinel{number}", words=(str(file), "--sentinel"))

    def _start(self, folder: Path, **options: Any) -> RedisServer:
        server = RedisServer(folder, **options)
        self._running.callback(server.kill)
        return server


def _known(server: RedisServer) -> int:
    return sum(b"handshake" not in line for line in server.ask("CLUSTER", "NODES").splitlines())


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, tuple) else [str(value)]


def _answers(redis: Redis) -> bool:
    try:
        return bool(redis.ping())
    except RedisError:
        return False
