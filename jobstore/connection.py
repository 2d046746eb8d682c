"""Talk to Redis, for all parts of the store: send commands, run Lua scripts, read streams, and translate failures."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
# redis-py leaves its **kwargs without types, and replies are whatever Redis answers.
from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from redis import exceptions as redis_errors

from jobstore.keys import Shard, prefix, shard_of
from jobstore.redis_address import read_address
from jobstore.redis_clients import RedisClient, close_client, open_client
from jobstore.script_texts import load_scripts
from jobstore.settings import StoreSettings
from schemas.errors import BrokerUnavailable, StorageFull

LONGEST_BLOCK = 5.0  # longest blocking read, seconds
ANSWER_TIMEOUT = 5.0  # how long a command that does not block may take, waiting for a free connection included, seconds
MOST_BLOCKING_READS = 4096  # enough for the workers' and the listener's reads of 1,024 shards
MAX_EVENTS = 1000  # of one job, and announced in one shard; older ones are dropped
FULLNESS = 0.9  # the part of Redis's memory from which on records give way
RECORDS_TOGETHER = 200  # records that give way in one script

# Each of these passes: a server that is away or has become a replica, a cluster whose slots move or have no node for a moment.
_UNAVAILABLE = (
    redis_errors.ConnectionError, redis_errors.TimeoutError, TimeoutError, redis_errors.ReadOnlyError,
    redis_errors.ClusterError, redis_errors.RedisClusterException, redis_errors.TryAgainError,
)  # fmt: skip

Words = tuple[str | int | float | bytes, ...]
StreamEntry = tuple[bytes, dict[bytes, bytes]]  # id, fields


class MemoryFull(StorageFull):
    """The memory of Redis is full. Records that give way make room."""


class Connection:
    """Holds the Redis clients, and the settings that decide where keys are and how long they live.

    At most `redis_connections` commands are under way at a time, each on a connection of its own; a command waits for its turn. Blocking
    reads have connections of their own, so that they never keep commands waiting.

    A connection that is lost or does not open is opened again, and the command is repeated once. This is safe because every script answers
    a repetition as it answered the first call.

    Every method that talks to Redis raises `BrokerUnavailable` if Redis does not answer, and `StorageFull` if its memory or disk is full.
    """

    def __init__(self, redis: RedisClient, blocking: RedisClient, settings: StoreSettings) -> None:
        """Wrap a client for commands and one for blocking reads. See `open_client` about their options."""
        self._redis = redis
        self._blocking = blocking
        self._turns = asyncio.Semaphore(settings.redis_connections)
        self._scripts = load_scripts()
        self._constants = {
            "ttl": settings.result_ttl * 1000,
            "record_ttl": settings.result_ttl * 2000,
            "max_events": MAX_EVENTS,
            "max_bytes": settings.max_stored_bytes // settings.shards,
        }
        self.settings = settings
        self.shards = range(settings.shards)

    @classmethod
    def open(cls, url: str, settings: StoreSettings) -> Connection:
        """Return a connection to `url`. It connects when the first command is sent.

        Raises:
            ValueError: The address is wrong.
        """
        address = read_address(url)
        return cls(open_client(address, settings.redis_connections), open_client(address, MOST_BLOCKING_READS), settings)

    async def close(self) -> None:
        """Close the clients."""
        await close_client(self._redis)
        await close_client(self._blocking)

    def shard_of(self, name: str) -> int:
        """Return the number of the shard in which a job, an image or a work lives."""
        return shard_of(name, self.settings.shards)

    async def check(self) -> None:
        """Return when every shard has answered. In a Redis Cluster, shards may be on different nodes."""
        await asyncio.gather(*(self.command("EXISTS", prefix(shard)) for shard in self.shards))

    async def command(self, *words: str | int | float | bytes) -> Any:
        """Send one command about keys of one shard and return Redis's reply."""
        return await self._execute(words)

    async def script(self, name: str, shard: Shard, /, *payload: bytes | str, **arguments: Any) -> Any:
        """Run `scripts/<name>.lua` in one shard and return its reply. The script does not see arguments that are None.

        If the memory of Redis is full, the oldest records of the shard give way and the script is run once more.
        """
        given = _without_none({**self._constants, **arguments})
        try:
            return await self._run(name, shard, given, *payload)
        except MemoryFull:
            await self._run("make_room", shard, {**self._constants, "bytes": 0, "fullness": FULLNESS, "most": RECORDS_TOGETHER})
            return await self._run(name, shard, given, *payload)

    async def script_where_it_can(self, name: str, /, **arguments: Any) -> list[Any]:
        """Run a script in every shard and return the replies of those shards that answered.

        A node of a cluster that is away thus does not keep what the script has claimed in other shards waiting for the end of a lease.

        Raises:
            BrokerUnavailable, StorageFull: no shard answered.
        """
        replies = await asyncio.gather(*(self.script(name, shard, **arguments) for shard in self.shards), return_exceptions=True)
        failures = [reply for reply in replies if isinstance(reply, BaseException)]
        unexpected = [failure for failure in failures if not isinstance(failure, BrokerUnavailable | StorageFull)]
        if unexpected or len(failures) == len(replies):
            raise (unexpected or failures)[0]
        return [reply for reply in replies if not isinstance(reply, BaseException)]

    async def _run(self, name: str, shard: Shard, arguments: Mapping[str, Any], *payload: bytes | str) -> Any:
        text, sha = self._scripts[name]
        # The second key never exists. While the slot moves to another node of a cluster, a node therefore answers TRYAGAIN. With one key,
        # the new node would run the script as if the keys that have not arrived yet did not exist.
        words = (2, prefix(shard), prefix(shard) + "whole", json.dumps(arguments), *payload)
        try:
            return await self._execute(("EVALSHA", sha, *words))
        except redis_errors.NoScriptError:
            return await self._execute(("EVAL", text, *words))

    async def read_stream(self, stream: str, after: str, seconds: float, count: int = 100) -> list[StreamEntry]:
        """Return the entries of a stream after the id `after`, at most `count`.

        If there are none, wait up to `seconds` for the first, but at most `LONGEST_BLOCK`. With 0 seconds, do not wait.
        """
        block = min(seconds, LONGEST_BLOCK)
        options = ("BLOCK", max(1, round(block * 1000))) if block > 0 else ()
        words = ("XREAD", *options, "COUNT", count, "STREAMS", stream, after)
        reply: Any = await (self._execute_blocking(words, block) if block > 0 else self._execute(words))
        return reply[0][1] if reply else []

    async def _execute(self, words: Words) -> Any:
        async with _answer_within(ANSWER_TIMEOUT), self._turns:
            return await self._redis.execute_command(*words)

    async def _execute_blocking(self, words: Words, block: float) -> Any:
        async with _answer_within(block + ANSWER_TIMEOUT):
            return await self._blocking.execute_command(*words)


@asynccontextmanager
async def _answer_within(seconds: float) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except redis_errors.NoScriptError:
        raise
    except (redis_errors.RedisError, redis_errors.RedisClusterException, TimeoutError) as error:
        raise _translated(error) from error


def _without_none(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _translated(error: Exception) -> Exception:
    """Return the contract's error for a failure of Redis. An error that a bug causes, such as a wrong command, is returned unchanged."""
    refusal = str(error) if isinstance(error, redis_errors.ResponseError) else ""
    if isinstance(error, redis_errors.OutOfMemoryError):
        return MemoryFull("The memory of Redis is full. Try again later.", retry_after=30)
    if refusal.startswith("MISCONF"):
        return StorageFull("The disk of Redis is full. Try again later.", retry_after=30)
    if refusal.startswith("NOREPLICAS"):
        return BrokerUnavailable("Redis accepts no jobs, because too few of its replicas are connected. Try again shortly.", retry_after=2)
    if isinstance(error, redis_errors.AskError):  # MOVED, too; a cluster's client follows both
        return BrokerUnavailable("This Redis is a node of a cluster, so its address must begin with redis+cluster://.", retry_after=2)
    if isinstance(error, _UNAVAILABLE) or refusal.startswith("UNBLOCKED"):
        return BrokerUnavailable("Redis does not answer. Try again shortly.", retry_after=2)
    return error
