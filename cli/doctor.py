"""The command `convscope doctor`: list what this machine has of what convscope needs."""

from __future__ import annotations

import asyncio
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
from pathlib import Path

import typer
from pydantic import ValidationError

from catalog.catalog import Catalog, load_catalog
from catalog.errors import CatalogError
from cli.doctor_models import custom_object_fault, damaged_files, unusable_models
from cli.doctor_redis import redis_findings
from cli.finding import Finding
from cli.settings_table import setting_rows
from jobstore.redis_address import read_address
from jobstore.settings import StoreSettings, setting_problems
from processes.embedded_redis import EmbeddedRedis
from processes.redis_address import running_redis_url
from processes.redis_program import EmbeddedRedisError, find_redis_server
from schemas.nearest_names import nearest_names
from service.settings import ServiceSettings
from workers.settings import WorkerSettings

_PROBE_SECONDS = 180
_MARKS = {"ok": "✓", "note": "!", "missing": "✗"}
_SERVICE_MODULES = ("fastapi", "uvicorn", "orjson", "multipart", "PIL")
# This program runs in a process of its own, because importing TensorFlow ends the process on a processor it is not built for.
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


def doctor() -> None:
    """Print every finding as soon as it is made.

    Raises:
        typer.Exit: something that convscope needs is missing; the exit status is 1.
    """
    missing = 0
    for finding in examine():
        typer.echo(f"{_MARKS[finding.level]} {finding.subject:<11} {finding.text}")
        missing += finding.level == "missing"
    if missing:
        typer.echo(f"{missing} {'thing is' if missing == 1 else 'things are'} missing.")
        raise typer.Exit(1)


def examine() -> Iterator[Finding]:
    """Yield all findings, the quick ones first."""
    yield Finding("ok", "Python", f"{platform.python_version()}, {platform.machine()} {platform.system()}, {os.cpu_count()} cores")
    yield from _settings()
    yield from _service()
    try:
        settings = StoreSettings()
    except ValidationError:
        return  # the findings above name the wrong settings, and the findings below need these settings
    yield from _redis(settings)
    yield _disk(settings)
    catalog = None
    try:
        catalog = load_catalog(settings.models_file, settings.models_dir)
    except CatalogError as error:
        yield Finding("missing", "models", str(error))
    else:
        yield from _catalog(catalog)
    yield from _tensorflow(settings, catalog)


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
            yield Finding("note", "settings", f"{name} is not a setting and has no effect." + (f" Is {near[0]} meant?" if near else ""))
    if not problems:
        yield Finding("ok", "settings", ", ".join(name for name in given if name in known) or "all settings have their default values")


def _service() -> Iterator[Finding]:
    absent = [name for name in _SERVICE_MODULES if importlib.util.find_spec(name) is None]
    if absent:
        yield Finding("missing", "service", f"not installed: {', '.join(absent)}. Install the extra 'service' of convscope.")
    else:
        yield Finding("ok", "service", "installed")


def _redis(settings: StoreSettings) -> Iterator[Finding]:
    url = settings.redis_url or running_redis_url(settings.data_dir)
    try:
        if url is not None:
            whose = "CONVSCOPE_REDIS_URL" if settings.redis_url else "the server of the running `convscope serve`"
            yield from asyncio.run(redis_findings(read_address(url), whose))
            return
        with tempfile.TemporaryDirectory() as folder, EmbeddedRedis.start(Path(folder)) as server:
            yield from asyncio.run(redis_findings(read_address(server.url), f"convscope can start {find_redis_server()}"))
    except EmbeddedRedisError as error:
        yield Finding("missing", "Redis", str(error))


def _disk(settings: StoreSettings) -> Finding:
    folder = settings.data_dir.resolve()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    text = f"{free / 1024**3:.1f} GiB free for {settings.data_dir}; convscope leaves {settings.min_free_disk / 1024**3:.1f} GiB of it free"
    if not os.access(existing, os.W_OK):
        return Finding("missing", "disk", f"convscope may not write to {existing}, which is to hold {settings.data_dir}")
    return Finding("ok" if free > settings.min_free_disk else "missing", "disk", text)


def _catalog(catalog: Catalog) -> Iterator[Finding]:
    counts = Counter(entry.source for entry in catalog.values())
    yield Finding("ok", "models", ", ".join(f"{count} {source}" for source, count in sorted(counts.items())))
    yield from (Finding("missing", "models", text) for text in unusable_models(catalog))
    yield from _weights_files(catalog)


def _weights_files(catalog: Catalog) -> Iterator[Finding]:
    for entry in catalog.values():
        for what, path in (("weights", entry.weights), ("labels", entry.labels)):
            if isinstance(path, Path) and not path.is_file():
                yield Finding("missing", "models", f"the {what} file of '{entry.name}' does not exist: {path}")
    folder = Path(os.environ.get("KERAS_HOME", Path.home() / ".keras")) / "models"
    count = len(list(folder.glob("*.h5"))) if folder.is_dir() else 0
    yield Finding("ok", "weights", f"{count} files for keras.applications in {folder}; others are downloaded when first needed")


def _tensorflow(settings: StoreSettings, catalog: Catalog | None) -> Iterator[Finding]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    try:
        run = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-P", "-c", _PROBE], env=environment, check=False, capture_output=True, text=True, timeout=_PROBE_SECONDS
        )
    except subprocess.TimeoutExpired:
        yield Finding("missing", "TensorFlow", f"it could not be imported within {_PROBE_SECONDS} s")
        return
    if run.returncode != 0:
        words = run.stderr.strip().splitlines()[-1:] or [f"its import ended with status {run.returncode}"]
        yield Finding("missing", "TensorFlow", f"no worker can run here: {words[0]}. Install the extras 'worker' and 'cpu' or 'gpu'.")
        return
    found = json.loads(run.stdout.splitlines()[-1])
    yield Finding("ok", "TensorFlow", f"{found['tensorflow']}, Keras {found['keras']}")
    devices = [name.removeprefix("/physical_device:") for name in found["devices"]]
    yield Finding("ok", "devices", ", ".join(devices))
    if "weights" in found:
        yield Finding("ok", "weights", f"efficientnet_lite0, {found['weights'] / 1024**2:.0f} MiB")
    else:
        yield Finding("missing", "weights", f"those of efficientnet_lite0 cannot be read: {found['no_weights']}")
    yield from _custom_objects(WorkerSettings().custom_objects)
    if catalog is not None:
        yield from (Finding("missing", "models", text) for text in damaged_files(settings, catalog))


def _custom_objects(names: tuple[str, ...]) -> Iterator[Finding]:
    if not names:
        return
    fault = custom_object_fault(names)
    if fault is None:
        yield Finding("ok", "own layers", f"imported: {', '.join(names)}. Model files may name them, and their code runs in workers.")
    else:
        yield Finding("missing", "own layers", f"CONVSCOPE_CUSTOM_OBJECTS: {fault}")
