"""Give the gallery a second model to compare the built-in one with: the built-in model without its smallest weights."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from cli.gallery_calls import PRUNED
from jobstore.settings import StoreSettings

_FOLDER = "CONVSCOPE_MODELS_DIR"


@contextmanager
def pruned_model() -> Generator[None]:
    """Let the processes that start inside see a models folder that also has the pruned model.

    The model is made in a process of its own, because the command line does not load TensorFlow.
    """
    before, folder = os.environ.get(_FOLDER), StoreSettings().models_dir
    with tempfile.TemporaryDirectory(prefix="convscope-models-") as here:
        for file in folder.iterdir() if folder.is_dir() else ():
            Path(here, file.name).symlink_to(file.resolve())
        command = [sys.executable, "-P", "-m", "workers.models.pruned_copy", here, PRUNED]
        subprocess.run(command, check=True)  # noqa: S603 - our own module
        os.environ[_FOLDER] = here
        try:
            yield
        finally:
            if before is None:
                del os.environ[_FOLDER]
            else:
                os.environ[_FOLDER] = before
