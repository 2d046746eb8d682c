"""Load the images of a job, and prepare them as inputs of its model."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from jobstore.records import Execution
from jobstore.store import JobStore
from rendering.photo import Photo, Placement
from schemas.errors import Expired, ImageTooLarge, InvalidImage, UnsupportedFormat
from schemas.images import ImageLimits
from schemas.methods.base import MethodParams
from schemas.methods.several_images import ImagesParams
from schemas.methods.target_class import TargetClassParams
from schemas.methods.targets import target_image
from workers.contract.arrays import Float32, UInt8
from workers.contract.inputs import Inputs, Prepared
from workers.execution.model_access import UsableModel
from workers.execution.retry import retry_until_available
from workers.execution.threads import in_pool, timed_in_pool


class ImageDecoder(Protocol):
    """Decodes image files; `decoding.decoder.Decoder` is the real one. It blocks and is thread-safe."""

    def decode(self, content: bytes, limits: ImageLimits) -> UInt8: ...


@dataclass(frozen=True)
class LoadedInputs:
    """The inputs of one job.

    `photo` is None if the method needs no image. `seconds` is the time that decoding and preparing took, and None if the job has no
    images.
    """

    inputs: Inputs
    photo: Photo | None
    seconds: float | None


class InputLoader:
    """Loads inputs on threads of its own, which also bound the number of images that are decoded at once."""

    def __init__(self, store: JobStore, decoder: ImageDecoder, limits: ImageLimits, threads: int) -> None:
        self._store, self._decoder, self._limits, self._count = store, decoder, limits, threads
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="decode")

    async def load(self, execution: Execution, params: MethodParams, model: UsableModel | None) -> LoadedInputs:
        """Return the inputs of a job. `model` is None if the method needs none; then nothing is prepared.

        Raises:
            Expired: An image has expired.
            ImageTooLarge, InvalidImage, UnsupportedFormat: An image cannot be decoded.
        """
        image: UInt8 | None = None
        seconds: list[float] = []
        if params.card.needs_image:
            content = await retry_until_available(lambda: self._store.images.file_of(execution))
            image, decode_seconds = await self._decode(content)
            seconds.append(decode_seconds)
        photo, tensor = None, _no_input(model)
        if image is not None and model is not None:
            prepared, prepare_seconds = await self._prepare(model, image)
            photo, tensor = prepared.photo, prepared.tensor[None]
            seconds.append(prepare_seconds)
        elif image is not None:
            photo = _whole_photo(image)
        several: tuple[Prepared, ...] = ()
        if model is not None and isinstance(params, ImagesParams):
            several, several_seconds = await self._load_several(execution, model, params.images)
            seconds.append(several_seconds)
        target: Prepared | None = None
        if model is not None and isinstance(params, TargetClassParams) and (image_id := target_image(params.target)) is not None:
            target, target_seconds = await self._load_one(execution, model, image_id, "The target's image")
            seconds.append(target_seconds)
        photos = () if photo is None else (photo,)
        return LoadedInputs(Inputs(tensor, image, several, photos, target), photo, sum(seconds) if seconds else None)

    async def warm_up(self, image: bytes) -> None:
        """Decode an image, so that a decoding process is there when the first job comes."""
        await in_pool(self._threads, self._decoder.decode, image, self._limits)

    def close(self) -> None:
        """Give the threads up without waiting for them."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _decode(self, content: bytes) -> tuple[UInt8, float]:
        return await timed_in_pool(self._threads, self._decoder.decode, content, self._limits)

    async def _prepare(self, model: UsableModel, image: UInt8) -> tuple[Prepared, float]:
        (tensor, placement), seconds = await timed_in_pool(self._threads, model.prepare, image)
        return Prepared(Photo(image, placement), tensor), seconds

    async def _load_several(self, execution: Execution, model: UsableModel, image_ids: Sequence[str]) -> tuple[tuple[Prepared, ...], float]:
        """Load the images a few at a time, so that the undecoded files of many images are not in memory at once."""
        prepared: list[Prepared] = []
        seconds = 0.0
        for start in range(0, len(image_ids), self._count):
            numbers = range(start, min(start + self._count, len(image_ids)))
            loading = (self._load_one(execution, model, image_ids[number], f"Image {number}") for number in numbers)
            for one, its_seconds in await asyncio.gather(*loading):
                prepared.append(one)
                seconds += its_seconds
        return tuple(prepared), seconds

    async def _load_one(self, execution: Execution, model: UsableModel, image_id: str, name: str) -> tuple[Prepared, float]:
        try:
            content = await retry_until_available(lambda: self._store.images.file_of(execution, image_id))
            image, decode_seconds = await self._decode(content)
        except (Expired, ImageTooLarge, InvalidImage, UnsupportedFormat) as error:
            raise type(error)(f"{name} ({image_id}): {error.detail}") from error
        prepared, prepare_seconds = await self._prepare(model, image)
        return prepared, decode_seconds + prepare_seconds


def _no_input(model: UsableModel | None) -> Float32:
    """Return an empty batch (N = 0)."""
    if model is None:
        return np.zeros((0, 0, 0, 3), np.float32)
    spec = model.published.description.input
    return np.zeros((0, spec.height or 0, spec.width or 0, spec.channels), np.float32)


def _whole_photo(image: UInt8) -> Photo:
    """Return a photo that lies in no model's input: its placement maps the photo to itself."""
    height, width = image.shape[:2]
    return Photo(image, Placement((height, width), (0, 0, height, width), (0, 0, height, width)))
