"""A callback for `model.fit` that shows what a network sees while it is trained. This module alone imports Keras."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

from convscope.client import Client
from convscope.image_input import ImageInput
from convscope.training_panel import MethodChoice, TrainingPanel

_Callback: Any = import_module("keras").callbacks.Callback


class Panel(_Callback):
    """Makes a fixed panel of pictures after every epoch, and an animation of each over the epochs.

    The checkpoint of the epoch is written into the models folder of the service, which must be reachable as a folder from here. The
    pictures are made while the training goes on; the end of the training waits for the last ones.

    Args:
        client: the client of the service.
        images: the images, the same ones for every epoch.
        methods: names of methods, or parameters by the names of methods.
        every: the panel is made after every this many epochs, and after the last one.
        models_dir: the models folder of the service.
        name: the checkpoints are called `NAME-epoch-NNNN`.
        settings: the text of the checkpoints' side file, as `docs/adding-a-model.md` describes it, such as `preprocessing = "tf"`.
        folder: the folder for the pictures, see `TrainingPanel`.
        keep_checkpoints: leave the checkpoints in the models folder. Otherwise each is deleted when its pictures are there.

    Raises:
        ValueError: `every` is below 1, there are no methods, or the models folder does not exist.
    """

    def __init__(
        self,
        client: Client,
        images: Sequence[ImageInput],
        methods: MethodChoice,
        every: int = 1,
        *,
        models_dir: str | Path = "models",
        name: str = "training",
        settings: str = "",
        folder: str | Path = "panel",
        keep_checkpoints: bool = False,
    ) -> None:
        _Callback.__init__(self)
        if every < 1:
            raise ValueError(f"every must be at least 1; got {every}.")
        self._models = Path(models_dir)
        if not self._models.is_dir():
            raise ValueError(f"The models folder {self._models} does not exist.")
        self._panel = TrainingPanel(client, images, methods, Path(folder))
        self._every, self._name, self._settings, self._keep = every, name, settings, keep_checkpoints
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
        if self._settings:
            (self._models / f"{model}.toml").write_text(self._settings, "utf-8")
        # The service must never see half a file. A file gets its name in the models folder when it is whole.
        with tempfile.TemporaryDirectory(dir=self._models.parent, prefix=".convscope-") as folder:
            written = Path(folder) / f"{model}.keras"
            self.model.save(written)
            written.replace(self._models / written.name)
        if self._worker is not None:
            self._made.append(self._worker.submit(self._make, epoch, model))

    def _make(self, epoch: int, model: str) -> None:
        try:
            self._panel.add_epoch(epoch, model)
        finally:
            if not self._keep:
                for suffix in (".keras", ".toml"):
                    (self._models / f"{model}{suffix}").unlink(missing_ok=True)
