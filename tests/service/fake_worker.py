"""A fake worker for the service's tests. It claims and ends executions through the store's own API, without TensorFlow."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from catalog.catalog import Catalog, load_catalog
from jobstore.records import DESCRIBE, Execution, Result
from jobstore.store import JobStore
from schemas.artifacts import DocumentType, EncodedArtifact
from schemas.health import WorkerStatus
from schemas.jobs import ErrorCode, JobError, Provenance, Timings
from schemas.methods.cam.base import CamFacts
from schemas.methods.card import Lane
from schemas.models import ModelDescription, PublishedModel
from tests.schemas.tiny import LABELS


def png(width: int = 9, height: int = 5, seed: int = 0) -> bytes:
    """Return a PNG file of random pixels."""
    return encoded(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def encoded(image: NDArray[np.uint8], image_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, image_format)
    return buffer.getvalue()


def pixels(content: bytes) -> NDArray[np.uint8]:
    """Return the pixels of an image file, uint8 RGB (H, W, 3)."""
    with Image.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB"))


def npy(array: NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


OVERLAY = np.random.default_rng(1).integers(0, 256, (7, 11, 3), dtype=np.uint8)
HEATMAP = np.random.default_rng(2).integers(0, 256, (7, 11, 3), dtype=np.uint8)
MAP = np.random.default_rng(3).normal(size=(5, 7)).astype(np.float32)
CAM_FACTS = CamFacts(
    layer="block5_conv3", layers=("block5_conv3",), class_index=2, label="Egyptian cat", logit=8.25, probability=0.5, classes=()
).model_dump(mode="json")


def picture(name: str, image: NDArray[np.uint8], *, primary: bool = False) -> EncodedArtifact:
    return EncodedArtifact.of(encoded(image), name=name, kind="image", shape=image.shape, dtype="uint8", primary=primary)


def array(name: str, values: NDArray[np.generic]) -> EncodedArtifact:
    return EncodedArtifact.of(npy(values), name=name, kind="array", shape=values.shape, dtype=values.dtype.name)


def animation(name: str, frames: NDArray[np.uint8], milliseconds: Sequence[int]) -> EncodedArtifact:
    buffer = io.BytesIO()
    first, *rest = map(Image.fromarray, frames)
    first.save(buffer, "WEBP", save_all=True, append_images=rest, duration=list(milliseconds), loop=0, lossless=True)
    return EncodedArtifact.of(buffer.getvalue(), name=name, kind="animation", shape=frames.shape, dtype="uint8")


def document(name: str, media_type: DocumentType, text: str) -> EncodedArtifact:
    return EncodedArtifact.of(text.encode(), name=name, kind="document", shape=(), dtype="text", media_type=media_type)


CAM_ARTIFACTS = (picture("overlay", OVERLAY, primary=True), picture("heatmap", HEATMAP), array("map", MAP))


class FakeWorker:
    """Claims and ends executions as a worker would, with results that the test knows."""

    def __init__(self, store: JobStore, catalog: Catalog, name: str = "fake") -> None:
        self._store, self._catalog, self._name = store, catalog, name

    async def publish(self, model: ModelDescription, labels: tuple[str, ...] = LABELS) -> None:
        digest = self._catalog[model.name].digest
        await self._store.models.publish(PublishedModel(description=model, labels=labels, digest=digest))

    async def live(self, *models: str) -> None:
        started = "2026-01-02T03:04:05Z"
        status = {"id": self._name, "device": "CPU:0", "started_at": started, "loaded_models": models, "running": 0}
        await self._store.workers.heartbeat(WorkerStatus.model_validate(status))

    async def claim(self, lane: Lane = "fast") -> Execution:
        """Return the next execution, which must come within ten seconds."""
        claimed = await self._store.queue.claim(self._name, lane, 1, 10.0)
        assert claimed, "nothing was queued"
        return claimed[0]

    async def claim_or_none(self, lane: Lane = "fast") -> Execution | None:
        """Return the next execution, or None if there is none within ten seconds."""
        claimed = await self._store.queue.claim(self._name, lane, 1, 10.0)
        return claimed[0] if claimed else None

    async def nothing_queued(self, lane: Lane = "fast") -> bool:
        return not await self._store.queue.claim(self._name, lane, 1, 0.0)

    async def complete(
        self,
        execution: Execution,
        artifacts: Sequence[EncodedArtifact] = CAM_ARTIFACTS,
        facts: object = CAM_FACTS,
        warnings: tuple[str, ...] = (),
    ) -> None:
        provenance = Provenance(model_fingerprint="f" * 64, precision="float32", device="CPU:0", versions={"convscope": "0.1.0"})
        result = Result(tuple(artifacts), json.dumps(facts), warnings, Timings(queued=1, decode=2, device=3, render=4), provenance)
        assert await self._store.queue.complete(execution, result)

    async def fail(self, execution: Execution, code: ErrorCode, detail: str, *, retryable: bool = False) -> None:
        assert await self._store.queue.fail(execution, JobError(code=code, detail=detail, retryable=retryable))

    async def work(self, lane: Lane = "fast") -> Execution:
        """Claim one execution, complete it and return it."""
        execution = await self.claim(lane)
        await self.complete(execution)
        return execution

    async def describe(self, model: ModelDescription) -> None:
        """Answer the store's request for a model's description."""
        execution = await self.claim()
        assert execution.method == DESCRIBE
        await self.publish(model)
        await self.complete(execution, (), {})

    async def progress(self, execution: Execution, step: int, total: int, value: float | None = None, preview: bytes | None = None) -> bool:
        return await self._store.queue.progress(execution, step, total, value, preview)


def catalog_of(models_file: Path, models_dir: Path) -> Catalog:
    return load_catalog(models_file, models_dir)
