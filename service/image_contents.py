"""Send uploaded images again: as they came, or as thumbnails."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from decoding.array_file import read_array
from decoding.decoder import Decoder
from jobstore.records import ImageRecord
from jobstore.store import JobStore
from rendering.bands import shown_bands
from schemas.artifacts import Representation
from schemas.errors import NotAcceptable, NotFound
from service.image_check import ARRAY_FORMAT
from service.settings import ServiceSettings
from service.shared_reads import SharedReads
from service.thumbnails import thumbnail_of_pixels

STORED_AS = {
    "JPEG": Representation("jpg", "image/jpeg", native=True),
    "PNG": Representation("png", "image/png", native=True),
    "WEBP": Representation("webp", "image/webp", native=True),
    "GIF": Representation("gif", "image/gif", native=True),
    "BMP": Representation("bmp", "image/bmp", native=True),
    "TIFF": Representation("tiff", "image/tiff", native=True),
    "AVIF": Representation("avif", "image/avif", native=True),
    "HEIF": Representation("heic", "image/heif", native=True),
    ARRAY_FORMAT: Representation("npy", "application/x-npy", native=True),
}
"""The suffix and the media type of an upload, by the format in its record."""


class ImageContents:
    """Gives the files of uploaded images, and thumbnails of them.

    Image files are decoded in a bounded child process, and never in this process. A thumbnail is made once for all requests of an owner
    that ask for it at the same time.
    """

    def __init__(self, store: JobStore, settings: ServiceSettings) -> None:
        self._store, self._limits = store, settings.image_limits
        self._decoder = Decoder(seconds=settings.decode_seconds, memory_bytes=settings.decode_memory_bytes)
        self._threads = ThreadPoolExecutor(settings.drawing_threads, thread_name_prefix="thumbnail")
        self._thumbnails = SharedReads[bytes](len)

    async def file(self, owner: str, image: ImageRecord) -> bytes:
        """Return the file as it was uploaded.

        Raises:
            NotFound: The owner has deleted the image meanwhile, or it has expired.
            Expired: The file cannot be found.
            BrokerUnavailable: Redis does not answer.
        """
        content = await self._store.images.uploaded_file(owner, image.id)
        if content is None:
            raise NotFound(f"The image {image.id} was deleted or has expired.", got=image.id)
        return content

    async def thumbnail(self, owner: str, image: ImageRecord, width: int, representation: Representation) -> bytes:
        """Return the image, upright and at most `width` pixels wide, in the given format. An array is shown by its bands.

        Raises:
            NotFound, Expired, BrokerUnavailable: See `file`.
            InvalidImage: The file is damaged, or its decoding took too much time or memory.
            NotAcceptable: The image is an array that is not (H, W) or (H, W, C).
        """

        async def make() -> bytes:
            content = await self.file(owner, image)
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._made, content, image.format, width, representation)

        return await self._thumbnails.get((owner, image.id, width, representation.name), make)

    def close(self) -> None:
        """End the decoding process and the threads."""
        self._threads.shutdown(cancel_futures=True)
        self._decoder.close()

    def _made(self, content: bytes, image_format: str, width: int, representation: Representation) -> bytes:
        pixels = _shown_array(content) if image_format == ARRAY_FORMAT else self._decoder.decode(content, self._limits, width)
        return thumbnail_of_pixels(pixels, width, representation)


def _shown_array(content: bytes) -> NDArray[np.uint8]:
    array = read_array(content)
    if array.ndim not in (2, 3):
        raise NotAcceptable(
            f"An array of the shape {array.shape} has no thumbnail. Only arrays (H, W) and (H, W, C) have one.",
            allowed="an array of 2 or 3 axes",
            got=str(array.shape),
        )
    return shown_bands(array)
