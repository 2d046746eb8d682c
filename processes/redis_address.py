"""The address of the embedded Redis: kept in the data folder, so that clients find the server again after a restart."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# redis-py declares no types for the keyword arguments of its commands.
from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError
from redis.retry import Retry

from processes.ports import free_port, is_free
from processes.redis_program import EmbeddedRedisError

_REDIS_FOLDER = "redis"
_ADDRESS_FILE = "address"
_ANSWER_SECONDS = 2.0


def redis_folder(data_dir: Path) -> Path:
    """Return the absolute path of the folder in which the embedded Redis of this data folder keeps its files."""
    return data_dir.resolve() / _REDIS_FOLDER


def running_redis_url(data_dir: Path) -> str | None:
    """Return the URL of the embedded Redis that runs on this data folder, or None if none runs there.

    A worker that is started by hand finds the server of `convscope serve` in this way.
    """
    folder = redis_folder(data_dir)
    url = _remembered_url(folder)
    if url is None:
        return None
    with impatient_client(url) as redis:
        try:
            served_folder = redis.config_get("dir")["dir"]
        except BusyLoadingError:
            return url
        except RedisError:
            return None
    return url if Path(str(served_folder)) == folder else None


def choose_address(folder: Path, port: int | None) -> tuple[int, str]:
    """Return the port and the password for a new server on this folder.

    The last server's port and password are used again if possible, so that its clients can reconnect.

    Args:
        folder: the embedded Redis's folder.
        port: the port to use. If it is None, the last port is used, or a free one if that port is taken.

    Raises:
        EmbeddedRedisError: `port` is given and taken.
    """
    last = urlsplit(_remembered_url(folder) or "")
    password = last.password or secrets.token_urlsafe(24)
    if port is None:
        port = last.port if last.port is not None and is_free(last.port) else free_port()
    elif not is_free(port):
        raise EmbeddedRedisError(f"Port {port} is taken by another program. Choose another port.")
    return port, password


def remember_url(folder: Path, url: str) -> None:
    """Keep the server's URL in its folder. Only the folder's owner can read it, because it holds the password."""
    write_private(folder / _ADDRESS_FILE, url)


def impatient_client(url: str) -> Redis:
    """Return a client that waits two seconds for an answer and never retries; by default redis-py tries ten times."""
    return Redis.from_url(url, socket_timeout=_ANSWER_SECONDS, retry=Retry(NoBackoff(), 0))


def write_private(path: Path, text: str) -> None:
    """Replace the file by `text` in one step. Only its owner can read the file, from the first byte on."""
    draft = path.with_suffix(".draft")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    draft.replace(path)


def _remembered_url(folder: Path) -> str | None:
    try:
        return (folder / _ADDRESS_FILE).read_text("utf-8").strip()
    except FileNotFoundError:
        return None
