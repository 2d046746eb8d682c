"""Make the checkpoints of a training models of the service: as files in its models folder, or as uploads."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Protocol

from convscope.client import Client


class SavesItself(Protocol):
    """A Keras model, as far as a checkpoint needs it."""

    def save(self, filepath: Path) -> None: ...


class Checkpoints(Protocol):
    """The way in which checkpoints become models of the service."""

    def write(self, model: SavesItself, name: str) -> None:
        """Save the model as it is now. The training goes on afterwards."""
        ...

    def publish(self, name: str) -> None:
        """Make the saved checkpoint a model of the service, if it is none yet."""
        ...

    def remove(self, name: str) -> None:
        """Remove the checkpoint from the service."""
        ...


class FolderCheckpoints:
    """Checkpoints in the models folder of the service, which must be reachable as a folder from here.

    Args:
        models_dir: the models folder.
        settings: the text of the checkpoints' side file.

    Raises:
        ValueError: the folder does not exist.
    """

    def __init__(self, models_dir: Path, settings: str) -> None:
        if not models_dir.is_dir():
            raise ValueError(f"The models folder {models_dir} does not exist.")
        self._models, self._settings = models_dir, settings

    def write(self, model: SavesItself, name: str) -> None:
        if self._settings:
            (self._models / f"{name}.toml").write_text(self._settings, "utf-8")
        # The service must never see half a file. A file gets its name in the models folder when it is whole.
        with tempfile.TemporaryDirectory(dir=self._models.parent, prefix=".convscope-") as folder:
            written = Path(folder) / f"{name}.keras"
            model.save(written)
            written.replace(self._models / written.name)

    def publish(self, name: str) -> None:
        """Do nothing, because a file in the folder is a model."""

    def remove(self, name: str) -> None:
        for suffix in (".keras", ".toml"):
            (self._models / f"{name}{suffix}").unlink(missing_ok=True)


class UploadedCheckpoints:
    """Checkpoints that are uploaded. The service must take models, and a key needs the scope `admin`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._written: dict[str, tempfile.TemporaryDirectory[str]] = {}

    def write(self, model: SavesItself, name: str) -> None:
        self._written[name] = tempfile.TemporaryDirectory(prefix="convscope-")
        model.save(Path(self._written[name].name) / f"{name}.keras")

    def publish(self, name: str) -> None:
        with self._written.pop(name) as folder:
            self._client.upload_model(Path(folder) / f"{name}.keras")

    def remove(self, name: str) -> None:
        self._client.delete_model(name)
