"""The other side of the service in its tests: a small model, and a worker played through the store's own API."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from jobstore.records import DESCRIBE, ArtifactContent, Execution, Result
from jobstore.store import JobStore
from schemas.catalog import Catalog, load_catalog
from schemas.health import WorkerStatus
from schemas.jobs import ErrorCode, JobError, Provenance, Timings
from schemas.methods.base import Lane
from schemas.models import InputSpec, Layer, LayerKind, ModelDescription, Preprocessing, PublishedModel, ReceptiveField

LABELS = ("tench, Tinca tinca", "tabby, tabby cat", "Egyptian cat", "tabby, brindled cat", "espresso")


def layer(path: str, kind: LayerKind, shape: tuple[int | None, ...], inbound: tuple[str, ...], *, cam_able: bool = False) -> Layer:
    return Layer(
        path=path,
        type={"conv": "Conv2D", "dense": "Dense", "pooling": "MaxPooling2D"}.get(kind.value, kind.value.title()),
        kind=kind,
        output_shape=shape,
        parameters=9,
        channels=shape[-1],
        receptive_field=ReceptiveField(size=(3, 3), stride=(1, 1)) if len(shape) == 3 else None,
        inbound=inbound,
        cam_able=cam_able,
    )


def description(name: str = "vgg16", **changes: object) -> ModelDescription:
    """A model with five classes, three convolutions and a nested one."""
    fields: dict[str, object] = {
        "name": name,
        "source": "keras_applications",
        "title": "as the worker calls it",
        "input": InputSpec(name="input", height=20, width=30, channels=3),
        "preprocessing": Preprocessing.named("caffe"),
        "classes": len(LABELS),
        "head": "softmax",
        "outputs": ("predictions",),
        "fingerprint": "f" * 64,
        "parameters": 1234,
        "default_layer": "block5_conv3",
        "layers": (
            layer("input", LayerKind.INPUT, (20, 30, 3), ()),
            layer("block5_conv1", LayerKind.CONV, (10, 15, 4), ("input",), cam_able=True),
            layer("block5_conv3", LayerKind.CONV, (5, 7, 8), ("block5_conv1",), cam_able=True),
            layer("base/conv", LayerKind.CONV, (5, 7, 2), ("block5_conv3",), cam_able=True),
            layer("flatten", LayerKind.RESHAPE, (70,), ("base/conv",)),
            layer("predictions", LayerKind.DENSE, (5,), ("flatten",)),
        ),
    }
    return ModelDescription.model_validate(fields | changes)


def png(width: int = 9, height: int = 5, seed: int = 0) -> bytes:
    """A photo of noise."""
    return encoded(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def encoded(image: NDArray[np.uint8], image_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, image_format)
    return buffer.getvalue()


def npy(array: NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()


OVERLAY = np.random.default_rng(1).integers(0, 256, (7, 11, 3), dtype=np.uint8)
HEATMAP = np.random.default_rng(2).integers(0, 256, (7, 11, 3), dtype=np.uint8)
MAP = np.random.default_rng(3).normal(size=(5, 7)).astype(np.float32)
CAM_FACTS = {"layer": "block5_conv3", "class_index": 2, "label": "Egyptian cat", "logit": 8.25, "probability": 0.5, "classes": []}


def picture(name: str, image: NDArray[np.uint8], *, primary: bool = False) -> ArtifactContent:
    return ArtifactContent(name, "image", image.shape, "uint8", primary, encoded(image))


def array(name: str, values: NDArray[np.generic]) -> ArtifactContent:
    return ArtifactContent(name, "array", values.shape, values.dtype.name, False, npy(values))


CAM_ARTIFACTS = (picture("overlay", OVERLAY, primary=True), picture("heatmap", HEATMAP), array("map", MAP))


class PlayedWorker:
    """Claims and ends executions as a worker would, with results that the test knows."""

    def __init__(self, store: JobStore, catalog: Catalog, name: str = "played") -> None:
        self._store, self._catalog, self._name = store, catalog, name

    async def publish(self, model: ModelDescription, labels: tuple[str, ...] = LABELS) -> None:
        digest = self._catalog[model.name].digest
        await self._store.publish_model(PublishedModel(description=model, labels=labels, digest=digest))

    async def live(self, *models: str) -> None:
        started = "2026-01-02T03:04:05Z"
        status = {"id": self._name, "device": "CPU:0", "started_at": started, "loaded_models": models, "running": 0}
        await self._store.heartbeat(WorkerStatus.model_validate(status))

    async def claim(self, lane: Lane = "fast") -> Execution:
        """The next execution; one must come within seconds."""
        claimed = await self._store.claim(self._name, lane, 1, 10.0)
        assert claimed, "nothing was queued"
        return claimed[0]

    async def nothing_queued(self, lane: Lane = "fast") -> bool:
        return not await self._store.claim(self._name, lane, 1, 0.0)

    async def complete(
        self, execution: Execution, artifacts: Sequence[ArtifactContent] = CAM_ARTIFACTS, facts: object = CAM_FACTS, warnings: tuple[str, ...] = ()
    ) -> None:
        provenance = Provenance(model_fingerprint="f" * 64, precision="float32", device="CPU:0", versions={"convscope": "0.1.0"})
        result = Result(tuple(artifacts), json.dumps(facts), warnings, Timings(queued=1, decode=2, device=3, render=4), provenance)
        assert await self._store.complete(execution, result)

    async def fail(self, execution: Execution, code: ErrorCode, detail: str, *, retryable: bool = False) -> None:
        assert await self._store.fail(execution, JobError(code=code, detail=detail, retryable=retryable))

    async def work(self, lane: Lane = "fast") -> Execution:
        """Claims one execution and completes it."""
        execution = await self.claim(lane)
        await self.complete(execution)
        return execution

    async def describe(self, model: ModelDescription) -> None:
        """Answers the store's request for a model's description."""
        execution = await self.claim()
        assert execution.method == DESCRIBE
        await self.publish(model)
        await self.complete(execution, (), {})

    async def progress(self, execution: Execution, step: int, total: int, value: float | None = None, preview: bytes | None = None) -> bool:
        return await self._store.progress(execution, step, total, value, preview)


def catalog_of(models_file: Path, models_dir: Path) -> Catalog:
    return load_catalog(models_file, models_dir)
