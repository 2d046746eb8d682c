"""Find, for `convscope doctor`, all models that have a fault: in `models.toml`, in the models folder, and in the model files themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator

from catalog.catalog import Catalog
from jobstore.settings import StoreSettings
from workers.settings import WorkerSettings

_CHECK_SECONDS = 600


def unusable_models(catalog: Catalog) -> Iterator[str]:
    """Yield a sentence for each model that the catalogue lists as unusable."""
    yield from (f"'{name}' cannot be used: {model.reason}" for name, model in sorted(catalog.unusable.items()))


def custom_object_fault(names: tuple[str, ...]) -> str | None:
    """Return why these objects of CONVSCOPE_CUSTOM_OBJECTS cannot be imported, or None if they can.

    They are imported in a process of its own, because their code may do anything.
    """
    command = [sys.executable, "-P", "-m", "workers.models.custom_objects", *names]
    try:
        run = _run(command)
    except subprocess.TimeoutExpired:
        return f"they could not be imported within {_CHECK_SECONDS} s"
    if run.returncode != 0:
        return f"the program that imports them ended with status {run.returncode}"
    return json.loads(run.stdout.splitlines()[-1])


def damaged_files(settings: StoreSettings, catalog: Catalog) -> Iterator[str]:
    """Load every model file, and yield a sentence for each one that cannot be loaded.

    The files are loaded in a process of its own, because a fault in TensorFlow may end it.
    """
    if not any(entry.file is not None for entry in catalog.values()):
        return
    limits = WorkerSettings().model_limits.model_dump_json()
    command = [sys.executable, "-P", "-m", "workers.models.check_files", str(settings.models_file), str(settings.models_dir), limits]
    try:
        run = _run(command)
    except subprocess.TimeoutExpired:
        yield f"the model files could not all be loaded within {_CHECK_SECONDS} s"
        return
    if run.returncode != 0:
        yield f"the program that loads the model files ended with status {run.returncode}"
        return
    for name, reason in json.loads(run.stdout.splitlines()[-1]).items():
        yield f"'{name}' cannot be used: {reason}"


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True, timeout=_CHECK_SECONDS)  # noqa: S603 - our own program
