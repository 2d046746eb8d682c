"""Talk to Redis, for all parts of the store: send commands, run Lua scripts, read streams, and translate failures."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# redis-py leaves its **kwargs without types, and replies are whatever Redis answers.
from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from jobstore.keys import Shard, prefix, shard_of
from jobstore.settings import StoreSettings
from schemas.errors import BrokerUnavailable, StorageFull

LONGEST_BLOCK = 5.0  # longest blocking read, seconds
ANSWER_TIMEOUT = 5.0  # how long a command that does not block may take, waiting for a free connection included, seconds
MOST_BLOCKING_READS = 4096  # enough for the workers' and the listener's reads of 1,024 shards
MAX_EVENTS = 1000  # of one job, and announced in one shard; older ones are dropped

FULLNESS = 0.9  # the part of Redis's memory from which on records give way
RECORDS_TOGETHER = 200  # records that give way in one script
SHARED_SCRIPTS = ("basics", "files", "records", "forget")  # in this order, because each uses the definitions of those before

StreamEntry = tuple[bytes, dict[bytes, bytes]]  # id, fields


class MemoryFull(StorageFull):
    """The memory of Redis is full. Records that give way make room."""


class Connection:
    """Holds the Redis clients, and the settings that decide where keys are and how long they live.

    Commands share a pool of at most `redis_connections` connections; a command waits for a free one. Blocking reads have connections of
    their own, so that they never keep commands waiting.

    A lost connection is opened again and the command is repeated once. This is safe because every script answers a repetition as it
    answered the first call.

    Every method that talks to Redis raises `BrokerUnavailable` if Redis does not answer, and `StorageFull` if its memory or disk is full.
    """

    def __init__(self, redis: Redis, blocking: Redis, settings: StoreSettings) -> None:
        """Wrap a client for commands and one for blocking reads.

        They must not decode responses, because artifacts are bytes, and must not have a `socket_timeout`.

        With a `socket_timeout`, redis-py 8 sends through `asyncio.wait_for`, which may swallow a cancellation on Python 3.11
        (CPython issue 86296). This class limits the time of an answer itself.
        """
        self._redis: Any = redis
        self._blocking: Any = blocking
        self._scripts = _load_scripts()
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
        """Return a connection to `url`. It connects when the first command is sent."""
        retry = Retry(ExponentialBackoff(cap=0.2, base=0.05), 1, supported_errors=(RedisConnectionError,))
        options: dict[str, Any] = {"socket_timeout": None, "socket_connect_timeout": ANSWER_TIMEOUT, "retry": retry}
        pool = BlockingConnectionPool.from_url(url, max_connections=settings.redis_connections, timeout=ANSWER_TIMEOUT, **options)
        return cls(Redis.from_pool(pool), Redis.from_url(url, max_connections=MOST_BLOCKING_READS, **options), settings)

    async def close(self) -> None:
        """Close the clients."""
        await self._redis.aclose()
        await self._blocking.aclose()

    def shard_of(self, name: str) -> int:
        """Return the number of the shard in which a job, an image or a work lives."""
        return shard_of(name, self.settings.shards)

    async def command(self, *words: str | int | float | bytes) -> Any:
        """Send one command and return Redis's reply."""
        return await self._execute(self._redis, ANSWER_TIMEOUT, *words)

    async def script(self, name: str, shard: Shard, /, *payload: bytes | str, **arguments: Any) -> Any:
        """Run `scripts/<name>.lua` in one shard and return its reply. The script does not see arguments that are None.

        If the memory of Redis is full, the oldest records of the shard give way and the script is run once more.
        """
        words = (1, prefix(shard), json.dumps(_without_none({**self._constants, **arguments})), *payload)
        try:
            return await self._run(name, words)
        except MemoryFull:
            room = {**self._constants, "bytes": 0, "fullness": FULLNESS, "most": RECORDS_TOGETHER}
            await self._run("make_room", (1, prefix(shard), json.dumps(room)))
            return await self._run(name, words)

    async def _run(self, name: str, words: Sequence[str | int | bytes]) -> Any:
        text, sha = self._scripts[name]
        try:
            return await self._execute(self._redis, ANSWER_TIMEOUT, "EVALSHA", sha, *words)
        except NoScriptError:
            return await self._execute(self._redis, ANSWER_TIMEOUT, "EVAL", text, *words)

    async def read_stream(self, stream: str, after: str, seconds: float, count: int = 100) -> list[StreamEntry]:
        """Return the entries of a stream after the id `after`, at most `count`.

        If there are none, wait up to `seconds` for the first, but at most `LONGEST_BLOCK`. With 0 seconds, do not wait.
        """
        block = min(seconds, LONGEST_BLOCK)
        words = ("BLOCK", max(1, round(block * 1000))) if block > 0 else ()
        client = self._blocking if block > 0 else self._redis
        reply: Any = await self._execute(client, block + ANSWER_TIMEOUT, "XREAD", *words, "COUNT", count, "STREAMS", stream, after)
        return reply[0][1] if reply else []

    async def _execute(self, client: Any, seconds: float, *words: str | int | float | bytes) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await client.execute_command(*words)
        except NoScriptError:
            raise
        except (RedisError, TimeoutError) as error:
            raise _translated(error) from error


def _without_none(arguments: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if value is not None}


def _load_scripts() -> dict[str, tuple[str, str]]:
    """Return the text and the SHA-1 of every script, by name. A text is the script's first line, the shared scripts, then the rest."""
    folder = Path(__file__).with_name("scripts")
    shared = "\n".join((folder / "shared" / f"{name}.lua").read_text("utf-8") for name in SHARED_SCRIPTS)
    scripts: dict[str, tuple[str, str]] = {}
    for path in folder.glob("*.lua"):
        first, rest = path.read_text("utf-8").split("\n", 1)
        text = f"{first}\n{shared}\n{rest}"
        scripts[path.stem] = text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return scripts


def _translated(error: Exception) -> Exception:
    """Return the contract's error for a failure of Redis. An error that a bug causes, such as a wrong command, is returned unchanged."""
    if isinstance(error, OutOfMemoryError):
        return MemoryFull("The memory of Redis is full. Try again later.", retry_after=30)
    if isinstance(error, ResponseError) and str(error).startswith("MISCONF"):
        return StorageFull("The disk of Redis is full. Try again later.", retry_after=30)
    if isinstance(error, (RedisConnectionError, RedisTimeoutError, TimeoutError, ReadOnlyError)):
        return BrokerUnavailable("Redis does not answer. Try again shortly.", retry_after=2)
    return error
