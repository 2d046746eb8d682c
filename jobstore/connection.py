"""The connection to Redis: commands, scripts, blocking reads, and their failures in the contract's words."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# redis-py leaves its **kwargs without types, and replies are whatever Redis answers.
from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, OutOfMemoryError, ReadOnlyError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from jobstore.keys import Shard, prefix
from schemas.errors import BrokerUnavailable, StorageFull

BLOCK = 5.0  # longest blocking read, seconds
ANSWER = 5.0  # how long Redis may take to answer what does not block, seconds

Entry = tuple[bytes, dict[bytes, bytes]]  # of a stream: id, fields


class Connection:
    """One Redis client. Raises `BrokerUnavailable` and `StorageFull`.

    A lost connection is made anew and the command said again, once: every script answers a repetition as it answered the first.
    """

    def __init__(self, redis: Redis) -> None:
        """`redis` must not decode responses (artifacts are bytes), nor have a `socket_timeout`: with one, redis-py 8 sends through
        `asyncio.wait_for`, which on Python 3.11 may swallow a cancellation (CPython issue 86296). How long an answer may take is seen to
        here."""
        self._redis: Any = redis
        self._scripts = _load_scripts()

    @classmethod
    def open(cls, url: str) -> Connection:
        retry = Retry(ExponentialBackoff(cap=0.2, base=0.05), 1, supported_errors=(RedisConnectionError,))
        return cls(Redis.from_url(url, socket_timeout=None, socket_connect_timeout=ANSWER, retry=retry))

    async def close(self) -> None:
        await self._redis.aclose()

    async def command(self, *words: str | int | float | bytes) -> Any:
        return await self._execute(ANSWER, *words)

    async def script(self, name: str, shard: Shard, arguments: dict[str, Any], payload: Sequence[bytes | str] = ()) -> Any:
        """Runs `name`.lua in a shard; arguments that are None are left out."""
        text, sha = self._scripts[name]
        given = json.dumps({key: value for key, value in arguments.items() if value is not None})
        rest = (1, prefix(shard), given, *payload)
        try:
            return await self._execute(ANSWER, "EVALSHA", sha, *rest)
        except NoScriptError:
            return await self._execute(ANSWER, "EVAL", text, *rest)

    async def read_stream(self, stream: str, after: str, seconds: float) -> list[Entry]:
        """Entries of a stream after an id, waited for up to `seconds` (at most `BLOCK`; nothing is waited for at 0)."""
        block = min(seconds, BLOCK)
        words = ("BLOCK", max(1, round(block * 1000))) if block > 0 else ()
        reply: Any = await self._execute(block + ANSWER, "XREAD", *words, "COUNT", 100, "STREAMS", stream, after)
        return reply[0][1] if reply else []

    async def _execute(self, seconds: float, *words: str | int | float | bytes) -> Any:
        try:
            async with asyncio.timeout(seconds):
                return await self._redis.execute_command(*words)
        except NoScriptError:
            raise
        except (RedisError, TimeoutError) as error:
            raise _in_our_words(error) from error


def _load_scripts() -> dict[str, tuple[str, str]]:
    """(text, sha1) of every script, by name: its first line, common.lua, the rest."""
    folder = Path(__file__).with_name("scripts")
    common = (folder / "common.lua").read_text("utf-8")
    scripts: dict[str, tuple[str, str]] = {}
    for path in folder.glob("*.lua"):
        if path.stem != "common":
            first, rest = path.read_text("utf-8").split("\n", 1)
            text = f"{first}\n{common}\n{rest}"
            scripts[path.stem] = text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return scripts


def _in_our_words(error: Exception) -> Exception:
    """The contract's error for a failure of Redis; a programming error stays what it is."""
    if isinstance(error, OutOfMemoryError) or (isinstance(error, ResponseError) and str(error).startswith("MISCONF")):
        return StorageFull("The broker's memory or disk is full; try again later.", retry_after=30)
    if isinstance(error, (RedisConnectionError, RedisTimeoutError, TimeoutError, ReadOnlyError)):
        return BrokerUnavailable("The broker does not answer; try again shortly.", retry_after=2)
    return error
