"""Give the gallery models beside the built-in one: a copy of it without its smallest weights, and a small vision transformer."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Generator
from contextlib import contextmanager
from pathlib import Path

from jobstore.settings import StoreSettings

PRUNED = "efficientnet_lite0_pruned"
"""The built-in model without the smallest 30 % of its weights, which the gallery makes for `compare_models`."""
SMALL_VIT = "small_vit"
"""A small vision transformer, which the gallery trains for the methods that show attention."""
SMALL_VIT_NOTE = (
    f"{SMALL_VIT} is a vision transformer of four blocks, which `make gallery` trains on parts of the sample photos for some minutes "
    "(`workers/models/small_vit.py`). Name a model of your own in its place."
)
_FOLDER = "CONVSCOPE_MODELS_DIR"
_MAKERS = {PRUNED: "workers.models.pruned_copy", SMALL_VIT: "workers.models.small_vit"}


@contextmanager
def gallery_models(names: Collection[str], photos: Path) -> Generator[None]:
    """Let the processes that start inside see a models folder that also has the models with these names.

    A model that lies in the models folder already is used as it is. Any other is made in a process of its own, because the command line
    does not load TensorFlow.

    Args:
        names: `PRUNED`, `SMALL_VIT`, both or none.
        photos: the folder with the sample photos, on which `SMALL_VIT` is trained.
    """
    if not names:
        yield
        return
    before, folder = os.environ.get(_FOLDER), StoreSettings().models_dir
    with tempfile.TemporaryDirectory(prefix="convscope-models-") as here:
        for file in folder.iterdir() if folder.is_dir() else ():
            if file.suffix in (".toml", ".txt"):  # what a side file names must lie in the folder itself
                shutil.copy(file, here)
            else:
                Path(here, file.name).symlink_to(file.resolve())
        for name in names:
            if not Path(here, f"{name}.keras").exists():
                command = [sys.executable, "-P", "-m", _MAKERS[name], here, name, str(photos)]
                subprocess.run(command, check=True)  # noqa: S603 - our own modules
        os.environ[_FOLDER] = here
        try:
            yield
        finally:
            if before is None:
                del os.environ[_FOLDER]
            else:
                os.environ[_FOLDER] = before
