"""A callback for `model.fit` that shows what a network sees while it is trained. This module alone imports Keras."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

from convscope.checkpoints import Checkpoints, FolderCheckpoints, UploadedCheckpoints
from convscope.client import Client
from convscope.errors import ProblemError
from convscope.image_input import ImageInput
from convscope.training_panel import MethodChoice, TrainingPanel

_Callback: Any = import_module("keras").callbacks.Callback


class Panel(_Callback):
    """Makes a fixed panel of pictures after every epoch, and an animation of each over the epochs.

    The checkpoint of the epoch is written into the models folder of the service, which must then be reachable as a folder from here, or it
    is uploaded. The pictures are made while the training goes on; the end of the training waits for the last ones.

    Args:
        client: the client of the service.
        images: the images, the same ones for every epoch.
        methods: names of methods, or parameters by the names of methods.
        every: the panel is made after every this many epochs, and after the last one.
        models_dir: the models folder of the service. If it is None, checkpoints are uploaded: the service must take models, and the
            client's key needs the scope `admin`.
        name: the checkpoints are called `NAME-epoch-NNNN`.
        settings: the text of the checkpoints' side file, as `docs/adding-a-model.md` describes it, such as `preprocessing = "tf"`. An
            upload has none.
        folder: the folder for the pictures, see `TrainingPanel`.
        keep_checkpoints: leave the checkpoints in the service. Otherwise each is deleted when its pictures are there.

    Raises:
        ValueError: `every` is below 1, there are no methods, the models folder does not exist, or uploads are given `settings`.
    """

    def __init__(
        self,
        client: Client,
        images: Sequence[ImageInput],
        methods: MethodChoice,
        every: int = 1,
        *,
        models_dir: str | Path | None = "models",
        name: str = "training",
        settings: str = "",
        folder: str | Path = "panel",
        keep_checkpoints: bool = False,
    ) -> None:
        _Callback.__init__(self)
        if every < 1:
            raise ValueError(f"every must be at least 1; got {every}.")
        if models_dir is None and settings:
            raise ValueError("Checkpoints that are uploaded have no settings. Give the models folder, or leave the settings out.")
        self._checkpoints: Checkpoints = (
            UploadedCheckpoints(client) if models_dir is None else FolderCheckpoints(Path(models_dir), settings)
        )
        self._panel = TrainingPanel(client, images, methods, Path(folder))
        self._every, self._name, self._keep = every, name, keep_checkpoints
        self._worker: ThreadPoolExecutor | None = None
        self._made: list[Future[None]] = []
        self._last = 0
        self._shown = 0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Start the thread that asks the service, so that the training does not wait for pictures."""
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="convscope-panel")
        self._made = []
        self._shown = 0

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Write the checkpoint and ask for its pictures. Keras counts epochs from 0; the files count from 1."""
        self._last = epoch + 1
        if self._last % self._every == 0:
            self._show(self._last)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Wait for the pictures of all epochs.

        Raises:
            NetworkError, OSError: the service could not be reached, or a file could not be written.
        """
        if self._last and self._shown != self._last:
            self._show(self._last)
        if self._worker is not None:
            self._worker.shutdown(wait=True)
            self._worker = None
        for future in self._made:
            future.result()

    def _show(self, epoch: int) -> None:
        self._shown = epoch
        model = f"{self._name}-epoch-{epoch:04d}"
        self._checkpoints.write(self.model, model)
        if self._worker is not None:
            self._made.append(self._worker.submit(self._make, epoch, model))

    def _make(self, epoch: int, model: str) -> None:
        try:
            self._checkpoints.publish(model)
        except ProblemError as error:
            warnings.warn(f"The panel has no pictures of epoch {epoch}: {error}", stacklevel=2)
            return
        try:
            self._panel.add_epoch(epoch, model)
        finally:
            if not self._keep:
                self._checkpoints.remove(model)
