"""The pictures of a fixed set of images over the epochs of a training, collected into animations."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, cast

from convscope.client import Client
from convscope.errors import ConvscopeError
from convscope.image_input import ImageInput
from convscope.result import Result
from convscope.save_result import write_whole

MethodChoice = Iterable[str] | Mapping[str, Mapping[str, Any]]
"""Names of methods, or the parameters of methods by their names."""


class TrainingPanel:
    """Runs methods on images for one checkpoint after the other, and keeps the primary pictures.

    Args:
        client: the client of the service.
        images: the images, the same ones for every epoch.
        methods: names of methods, or parameters by the names of methods. A method that needs no image runs once an epoch.
        folder: the pictures go here: `METHOD-IMAGE-epoch-NNNN.png`, and `METHOD-IMAGE.webp` as the animation over the epochs.
        frame_ms: milliseconds that an epoch is shown in the animation.

    Raises:
        ValueError: there are no methods.
    """

    def __init__(self, client: Client, images: Sequence[ImageInput], methods: MethodChoice, folder: Path, frame_ms: int = 500) -> None:
        self._client, self._images, self._folder, self._frame_ms = client, images, folder, frame_ms
        self._methods = (
            dict(cast("Mapping[str, Mapping[str, Any]]", methods))
            if isinstance(methods, Mapping)
            else {name: dict[str, Any]() for name in methods}
        )
        if not self._methods:
            raise ValueError("A panel needs at least one method, such as grad_cam.")
        self._frames: dict[str, list[Path]] = {}

    def add_epoch(self, epoch: int, model: str) -> None:
        """Run every method on every image with the model of an epoch, and write the pictures and the animations.

        A picture that fails is missing from the epoch, and a warning says why: a training goes on without it.
        """
        needs_image = {method["name"]: method["needs_image"] for method in self._client.methods()}
        for method, params in self._methods.items():
            if needs_image.get(method, True):
                values = list(self._client.map(method, self._images, model=model, **params))
                for number, value in enumerate(values):
                    self._add(f"{method}-{number}", epoch, value)
            else:
                self._add(method, epoch, self._value(method, model, params))

    def _value(self, method: str, model: str, params: Mapping[str, Any]) -> Result | ConvscopeError:
        try:
            return self._client.run(method, model=model, **params)
        except ConvscopeError as error:
            return error

    def _add(self, name: str, epoch: int, value: Result | ConvscopeError | OSError) -> None:
        if not isinstance(value, Result):
            warnings.warn(f"The panel has no picture {name} of epoch {epoch}: {value}", stacklevel=2)
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{name}-epoch-{epoch:04d}.png"
        write_whole(path, value.content(value.primary or "overlay"))
        frames = self._frames.setdefault(name, [])
        frames.append(path)
        write_whole(self._folder / f"{name}.webp", _animation(frames, self._frame_ms))


def _animation(paths: Sequence[Path], frame_ms: int) -> bytes:
    pillow = import_module("PIL.Image")
    first, *rest = [pillow.open(path).convert("RGB") for path in paths]
    # All frames of an animation have one size. A sheet may be larger in another epoch.
    rest = [frame if frame.size == first.size else frame.resize(first.size) for frame in rest]
    buffer = io.BytesIO()
    first.save(buffer, "WEBP", save_all=True, append_images=rest, duration=frame_ms, loop=0, quality=90)
    return buffer.getvalue()
