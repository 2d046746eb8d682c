"""`convscope doctor`: what this machine has of what convscope needs."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import typer
from pydantic import ValidationError
from redis import Redis
from redis.exceptions import RedisError

from catalog.catalog import Catalog, load_catalog
from catalog.errors import CatalogError
from cli.failure import setting_problems
from cli.settings_table import setting_rows
from jobstore.settings import StoreSettings
from processes.embedded_redis import EmbeddedRedis
from processes.redis_address import running_redis_url
from processes.redis_program import OLDEST_REDIS, EmbeddedRedisError, find_redis_server
from schemas.errors import nearest_names
from service.settings import ServiceSettings
from workers.settings import WorkerSettings

_PROBE_WITHIN = 180  # seconds
_MARKS = {"ok": "✓", "note": "!", "missing": "✗"}
_SERVICE_MODULES = ("fastapi", "uvicorn", "orjson", "multipart", "PIL")
# In a process of its own: on a processor that TensorFlow is not built for, importing it ends the process.
_PROBE = """
import json, keras, tensorflow as tf
from workers.models.efficientnet_lite0 import weights_file
found = {"tensorflow": tf.__version__, "keras": keras.__version__, "devices": [d.name for d in tf.config.list_physical_devices()]}
try:
    found["weights"] = weights_file().stat().st_size
except (ImportError, OSError) as error:
    found["no_weights"] = str(error)
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Finding:
    """One line of the report; `missing` makes the command fail."""

    level: Literal["ok", "note", "missing"]
    subject: str
    text: str


def doctor() -> None:
    """Prints every finding as it is made; exit status 1 when something needed is missing."""
    missing = 0
    for finding in examine():
        typer.echo(f"{_MARKS[finding.level]} {finding.subject:<11} {finding.text}")
        missing += finding.level == "missing"
    if missing:
        typer.echo(f"{missing} {'thing is' if missing == 1 else 'things are'} missing.")
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """All findings, the quick ones first."""
    yield Finding("ok", "Python", f"{platform.python_version()}, {platform.machine()} {platform.system()}, {os.cpu_count()} cores")
    yield from _settings()
    yield from _service()
    try:
        settings = StoreSettings()
    except ValidationError:
        return  # said above; nothing that follows can be looked for
    yield _redis(settings)
    yield _disk(settings)
    yield from _catalog(settings)
    yield from _tensorflow()


def _settings() -> Iterator[Finding]:
    builders: tuple[Callable[[], object], ...] = (ServiceSettings, WorkerSettings)
    problems: dict[str, None] = {}
    for build in builders:
        try:
            build()
        except ValidationError as error:
            problems.update(dict.fromkeys(setting_problems(error)))
    yield from (Finding("missing", "settings", problem) for problem in problems)
    known = [row.variable for row in setting_rows()]
    given = sorted(name for name in os.environ if name.startswith("CONVSCOPE_"))
    for name in given:
        if name not in known:
            near = nearest_names(name, known, count=1)
            yield Finding("note", "settings", f"{name} means nothing" + (f"; {near[0]} is the nearest that does" if near else ""))
    if not problems:
        yield Finding("ok", "settings", ", ".join(name for name in given if name in known) or "all as they are by default")


def _service() -> Iterator[Finding]:
    absent = [name for name in _SERVICE_MODULES if importlib.util.find_spec(name) is None]
    if absent:
        yield Finding("missing", "service", f"not installed: {', '.join(absent)} (extra 'service')")
    else:
        yield Finding("ok", "service", "installed")


def _redis(settings: StoreSettings) -> Finding:
    url = settings.redis_url or running_redis_url(settings.data_dir)
    try:
        if url is not None:
            whose = "CONVSCOPE_REDIS_URL" if settings.redis_url else "the one that `convscope serve` runs now"
            return _look_at(url, f"{urlsplit(url).hostname}:{urlsplit(url).port or 6379} ({whose})")
        with tempfile.TemporaryDirectory() as folder, EmbeddedRedis.start(Path(folder)) as server:
            return _look_at(server.url, f"its own, {find_redis_server()}")
    except EmbeddedRedisError as error:
        return Finding("missing", "Redis", str(error))
    except RedisError as error:
        return Finding("missing", "Redis", f"{urlsplit(url or '').hostname} does not answer: {error}")


def _look_at(url: str, where: str) -> Finding:
    with Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as redis:  # pyright: ignore[reportUnknownMemberType]
        server = redis.info("server")
        memory = redis.info("memory")
        persistence = redis.info("persistence")
    version = str(server["redis_version"])
    oldest = ".".join(map(str, OLDEST_REDIS))
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        return Finding("missing", "Redis", f"{version} at {where} is older than {oldest}")
    doubts = [
        *(["it may throw jobs away: set maxmemory-policy noeviction"] if memory.get("maxmemory_policy") != "noeviction" else []),
        *(["a restart would lose jobs: set appendonly yes"] if not persistence.get("aof_enabled") else []),
    ]
    return Finding("note" if doubts else "ok", "Redis", "; ".join([f"{version}, {where}", *doubts]))


def _disk(settings: StoreSettings) -> Finding:
    folder = settings.data_dir.resolve()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    text = f"{free / 1024**3:.1f} GiB free for {settings.data_dir}, {settings.min_free_disk / 1024**3:.1f} GiB of it kept free"
    if not os.access(existing, os.W_OK):
        return Finding("missing", "disk", f"{settings.data_dir}: {existing} cannot be written to")
    return Finding("ok" if free > settings.min_free_disk else "missing", "disk", text)


def _catalog(settings: StoreSettings) -> Iterator[Finding]:
    try:
        catalog = load_catalog(settings.models_file, settings.models_dir)
    except (CatalogError, OSError) as error:
        yield Finding("missing", "models", str(error))
        return
    counts = Counter(entry.source for entry in catalog.values())
    yield Finding("ok", "models", ", ".join(f"{count} {source}" for source, count in sorted(counts.items())))
    yield from _weights_files(catalog)


def _weights_files(catalog: Catalog) -> Iterator[Finding]:
    for entry in catalog.values():
        for what, path in (("weights", entry.weights), ("labels", entry.labels)):
            if isinstance(path, Path) and not path.is_file():
                yield Finding("missing", "models", f"the {what} of '{entry.name}' are not there: {path}")
    folder = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"
    count = len(list(folder.glob("*.h5"))) if folder.is_dir() else 0
    yield Finding("ok", "weights", f"{count} downloaded for keras_applications in {folder}; others come when first asked for")


def _tensorflow() -> Iterator[Finding]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        run = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-P", "-c", _PROBE], env=environment, check=False, capture_output=True, text=True, timeout=_PROBE_WITHIN
        )
    except subprocess.TimeoutExpired:
        yield Finding("missing", "TensorFlow", f"could not be imported within {_PROBE_WITHIN} s")
        return
    if run.returncode != 0:
        words = run.stderr.strip().splitlines()[-1:] or [f"its import ended with status {run.returncode}"]
        yield Finding("missing", "TensorFlow", f"{words[0]}: no worker can run here (extras 'worker' and 'cpu' or 'gpu')")
        return
    found = json.loads(run.stdout.splitlines()[-1])
    yield Finding("ok", "TensorFlow", f"{found['tensorflow']}, Keras {found['keras']}")
    devices = [name.removeprefix("/physical_device:") for name in found["devices"]]
    yield Finding("ok", "devices", ", ".join(devices))
    if "weights" in found:
        yield Finding("ok", "weights", f"efficientnet_lite0, {found['weights'] / 1024**2:.0f} MiB")
    else:
        yield Finding("missing", "weights", f"of efficientnet_lite0: {found['no_weights']}")
