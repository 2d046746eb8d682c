"""The connection to Redis: commands, scripts, blocking reads, and their failures in the contract's words."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# redis-py leaves its **kwargs without types, and replies are whatever Redis answers.
from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from jobstore.keys import Shard, prefix
from schemas.errors import BrokerUnavailable, StorageFull, VisualizationError

BLOCK = 5.0  # longest blocking read, seconds
ANSWER = 5.0  # how long Redis may take to answer what does not block, seconds

Entry = tuple[bytes, dict[bytes, bytes]]  # of a stream: id, fields


class Connection:
    """Two clients of one Redis, since a blocking read may take longer than an answer. Raises `BrokerUnavailable` and `StorageFull`.

    A lost connection is made anew and the command said again, once: every script answers a repetition as it answered the first.
    """

    def __init__(self, redis: Redis) -> None:
        pool = redis.connection_pool
        options: dict[str, Any] = {**pool.connection_kwargs, "socket_timeout": BLOCK + ANSWER, "retry": _retry()}
        self._redis: Any = redis
        self._blocking: Any = Redis.from_pool(ConnectionPool(pool.connection_class, **options))
        self._scripts = _load_scripts()

    @classmethod
    def open(cls, url: str) -> Connection:
        return cls(Redis.from_url(url, socket_timeout=ANSWER, socket_connect_timeout=ANSWER, retry=_retry()))

    async def close(self) -> None:
        await self._redis.aclose()
        await self._blocking.aclose()

    async def command(self, *words: str | int | float | bytes) -> Any:
        try:
            return await _said(self._redis.execute_command(*words))
        except RedisError as error:
            raise _in_our_words(error) from error

    async def script(self, name: str, shard: Shard, arguments: dict[str, Any], payload: Sequence[bytes | str] = ()) -> Any:
        """Runs `name`.lua in a shard; arguments that are None are left out."""
        text, sha = self._scripts[name]
        given = json.dumps({key: value for key, value in arguments.items() if value is not None})
        rest = (1, prefix(shard), given, *payload)
        try:
            try:
                return await _said(self._redis.execute_command("EVALSHA", sha, *rest))
            except NoScriptError:
                return await _said(self._redis.execute_command("EVAL", text, *rest))
        except RedisError as error:
            raise _in_our_words(error) from error

    async def read_stream(self, stream: str, after: str, seconds: float) -> list[Entry]:
        """Entries of a stream after an id, waited for up to `seconds` (at most `BLOCK`; nothing is waited for at 0)."""
        block = min(seconds, BLOCK)
        words = ("BLOCK", max(1, round(block * 1000))) if block > 0 else ()
        try:
            reply: Any = await _said(self._blocking.execute_command("XREAD", *words, "COUNT", 100, "STREAMS", stream, after))
        except RedisError as error:
            raise _in_our_words(error) from error
        return reply[0][1] if reply else []


async def _said(command: Awaitable[Any]) -> Any:
    """The command's answer. redis-py sends within `asyncio.wait_for`, which in Python 3.11 swallows a cancellation that comes just as
    the sending ends (CPython gh-86296): such a one is raised here."""
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        return await command
    finally:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError


def _retry() -> Retry:
    return Retry(ExponentialBackoff(cap=0.2, base=0.05), 1, supported_errors=(RedisConnectionError,))


def _load_scripts() -> dict[str, tuple[str, str]]:
    """(text, sha1) of every script, by name; each begins with common.lua."""
    folder = Path(__file__).parent
    common = (folder / "common.lua").read_text("utf-8")
    texts = {path.stem: f"{common}\n{path.read_text('utf-8')}" for path in folder.glob("*.lua") if path.stem != "common"}
    return {name: (text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()) for name, text in texts.items()}


def _in_our_words(error: RedisError) -> VisualizationError | RedisError:
    """The contract's error for a failure of Redis; a programming error stays what it is."""
    if isinstance(error, OutOfMemoryError) or (isinstance(error, ResponseError) and str(error).startswith("MISCONF")):
        return StorageFull("The broker's memory or disk is full; try again later.", retry_after=30)
    if isinstance(error, (RedisConnectionError, RedisTimeoutError, ReadOnlyError)):
        return BrokerUnavailable("The broker does not answer; try again shortly.", retry_after=2)
    return error
