"""Read the contents of artifacts. A picture that is described by a drawing is drawn when it is first read, and then kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import structlog
from numpy.typing import NDArray
from pydantic import JsonValue, ValidationError

from decoding.array_file import is_array_file, read_array
from decoding.decoder import Decoder
from jobstore.records import JobRecord
from jobstore.store import JobStore
from rendering import encode
from rendering.bands import shown_bands
from rendering.drawings import UnknownDrawing, drawing_from
from rendering.drawings.base import Drawing
from schemas.errors import BrokerUnavailable, Expired, InternalError, NotFound, StorageFull
from service.metrics import Metrics
from service.settings import ServiceSettings
from service.shared_reads import SharedReads

_log = structlog.get_logger(__name__)
READ_TOGETHER = 8  # artifacts of one job that are read or drawn for one request at a time


class ArtifactContents:
    """Gives the stored bytes of artifacts, and draws pictures that are not stored yet.

    A picture is drawn once for all who ask for it at the same time. Drawing and decoding happen on threads of their own. The arrays and
    photos that were used last stay in memory, because a job may have many pictures of one array.
    """

    def __init__(self, store: JobStore, settings: ServiceSettings, metrics: Metrics) -> None:
        self._store, self._limits, self._metrics = store, settings.image_limits, metrics
        self._decoder = Decoder(seconds=settings.decode_seconds, memory_bytes=settings.decode_memory_bytes)
        self._threads = ThreadPoolExecutor(settings.drawing_threads, thread_name_prefix="draw")
        self._pictures = SharedReads[bytes](len)
        self._sources = SharedReads[NDArray[Any]](lambda array: array.nbytes, settings.drawing_memory)

    async def read(self, job: JobRecord, name: str) -> bytes:
        """Return an artifact's stored bytes: PNG for an image, WebP for an animation, npy for an array, UTF-8 for a document.

        Raises:
            Expired: The results of the job, or the photo that the picture is drawn on, no longer exist.
            NotFound: The job no longer exists.
            InternalError: The picture was described by a newer version of convscope.
            BrokerUnavailable: Redis does not answer.
        """
        if name not in job.drawings:
            return await self._store.artifacts.read_of(job, name)
        return await self._pictures.get((job.id, name), lambda: self._stored_or_drawn(job, name))

    async def read_all(self, job: JobRecord, names: Sequence[str]) -> dict[str, bytes]:
        """Return what `read` returns for each name, and raise what it raises.

        At most `READ_TOGETHER` artifacts are read at a time, and their pictures are drawn side by side on the `drawing_threads`.
        """
        turns = asyncio.Semaphore(READ_TOGETHER)

        async def read(name: str) -> bytes:
            async with turns:
                return await self.read(job, name)

        return dict(zip(names, await asyncio.gather(*map(read, names)), strict=True))

    def close(self) -> None:
        """End the decoding process and the threads."""
        self._threads.shutdown(cancel_futures=True)
        self._decoder.close()

    async def _stored_or_drawn(self, job: JobRecord, name: str) -> bytes:
        content = await self._store.artifacts.stored(job.id, job.owner, name)
        if content is not None:
            return content
        drawing = _drawing(job.drawings[name])
        arrays = dict(zip(drawing.sources, await asyncio.gather(*(self._array(job, source) for source in drawing.sources)), strict=True))
        photo = await self._photo(job) if drawing.needs_photo else None
        started = time.perf_counter()
        content = await self._in_thread(_png, drawing, arrays, photo)
        self._metrics.count_drawing(job.method, time.perf_counter() - started)
        try:
            await self._store.artifacts.keep(job.id, job.owner, name, content)
        except (StorageFull, BrokerUnavailable, Expired, NotFound) as error:  # the caller gets the picture, and the next one draws it again
            _log.warning("picture_not_kept", job_id=job.id, artifact=name, reason=error.detail)
        return content

    async def _array(self, job: JobRecord, name: str) -> NDArray[Any]:
        async def read() -> NDArray[Any]:
            return await self._in_thread(encode.array, await self._store.artifacts.read_of(job, name))

        digest = next((artifact.sha256 for artifact in job.artifacts if artifact.name == name), None)
        return await self._sources.get(("array", digest), read)

    async def _photo(self, job: JobRecord) -> NDArray[np.uint8]:
        """Return the image that the job has explained, or the picture of the array in its place."""
        explained, bands = job.params.get("input"), job.params.get("bands")
        given = {} if job.provenance is None else job.provenance.inputs
        image_id = given.get(str(explained), f"img_{job.image}")

        async def read() -> NDArray[np.uint8]:
            content = await self._store.images.file(image_id)
            if is_array_file(content):
                return await self._in_thread(_array_picture, content, bands)
            return await self._in_thread(self._decoder.decode, content, self._limits)

        return await self._sources.get(("photo", image_id, str(bands)), read)

    async def _in_thread(self, function: Any, *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)


def _drawing(description: JsonValue) -> Drawing:
    try:
        return drawing_from(description if isinstance(description, dict) else {})
    except (UnknownDrawing, ValidationError) as error:
        raise InternalError("This picture was described by a worker of another version, and this service cannot draw it.") from error


def _array_picture(content: bytes, bands: JsonValue) -> NDArray[np.uint8]:
    chosen = [int(str(band)) for band in bands] if isinstance(bands, list) else []
    return shown_bands(read_array(content), chosen)


def _png(drawing: Drawing, arrays: Mapping[str, NDArray[Any]], photo: NDArray[np.uint8] | None) -> bytes:
    return encode.png(drawing.draw(arrays, photo))
