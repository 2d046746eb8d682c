"""One job from bytes to artifacts."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

import numpy as np

from jobstore.records import DESCRIBE, Execution, Result
from jobstore.store import JobStore
from schemas.artifacts import EncodedArtifact
from schemas.errors import Expired, ImageTooLarge, InvalidImage, ModelLoadFailed, UnsupportedFormat, VisualizationError
from schemas.images import ImageLimits
from schemas.jobs import Provenance, Timings
from schemas.methods import params_class
from schemas.methods.base import MethodParams
from schemas.methods.several_images import ImagesParams
from schemas.models import ModelDescription, PublishedModel
from telemetry.logs import get_logger
from workers.contract.arrays import Float32, UInt8
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs, Photo, Placement, Prepared
from workers.contract.probe import Probe
from workers.contract.progress import Pieces, Reusable, Slice
from workers.execution.metrics import WorkerMetrics
from workers.execution.piece_cache import Keeping
from workers.execution.retry import when_available
from workers.execution.scheduler import Done, Scheduler
from workers.execution.threads import in_pool, timed_in_pool
from workers.methods import Implementation, implementation
from workers.rendering import encode


class Model(Protocol):
    """What the runner needs of a loaded model."""

    @property
    def published(self) -> PublishedModel: ...
    @property
    def probe(self) -> Probe: ...
    def prepare(self, image: UInt8) -> tuple[Float32, Placement]: ...


class Models(Protocol):
    """Blocking; thread-safe."""

    def get(self, name: str) -> Model: ...


class Decoding(Protocol):
    """Blocking; thread-safe."""

    def decode(self, content: bytes, limits: ImageLimits) -> UInt8: ...


@dataclass(frozen=True)
class Kind:
    """What must be equal for fast jobs to be one batch; also what is compiled once."""

    model: int
    method: str
    key: Hashable
    shape: tuple[int, ...] = ()


@dataclass(frozen=True)
class Surroundings:
    """Where jobs run: what every result says of its making, and what every image may be."""

    device: str
    versions: Mapping[str, str]
    image_limits: ImageLimits
    decode_threads: int = 2
    render_threads: int = 2


class Runner:
    """Runs jobs concurrently; the scheduler decides what is on the device."""

    def __init__(
        self,
        *,
        store: JobStore,
        models: Models,
        decoder: Decoding,
        scheduler: Scheduler,
        surroundings: Surroundings,
        metrics: WorkerMetrics,
    ) -> None:
        self._store, self._models, self._decoder, self._scheduler = store, models, decoder, scheduler
        self._surroundings, self._metrics = surroundings, metrics
        self._loading = ThreadPoolExecutor(2, thread_name_prefix="load")
        self._decoding = ThreadPoolExecutor(surroundings.decode_threads, thread_name_prefix="decode")
        self._rendering = ThreadPoolExecutor(surroundings.render_threads, thread_name_prefix="render")
        self._published: dict[str, str] = {}

    async def run(self, execution: Execution, on_slice: Callable[[Slice], None]) -> Result:
        """The job's result. `on_slice` is called on a device thread.

        Raises:
            VisualizationError: what is wrong, in words for the caller.
        """
        queued = datetime.now(UTC) - execution.queued_at
        if execution.method == DESCRIBE:
            return await self._describe(execution)
        method = implementation(execution.method)
        params = params_class(execution.method).model_validate_json(execution.params)

        image, decode_seconds = await self._image(execution, needed=params.card.needs_image)
        several: tuple[Prepared, ...] = ()
        if params.card.needs_model:
            model = await self.model(execution.model)
            photo, tensor, prepare_seconds = await self._prepared(model, image)
            if isinstance(params, ImagesParams):
                several, decode_seconds = await self._several(model, params.images)
            keeping = self._keeping(method.reusable(params), model)
            if keeping is None:
                done = await self._on_device(method, model, Inputs(tensor, image, several), params, on_slice)
            else:
                pieces: Pieces = {} if execution.fresh else await keeping.found()
                inputs = Inputs(tensor, image, several, pieces)
                done = await self._on_device(method, model, inputs, params, keeping.watching(on_slice))
                await keeping.settled()
        else:
            model, photo, prepare_seconds, done = None, None if image is None else _alone(image), 0.0, Done(None, 0.0, 1)
        decoded = image is not None or bool(several)
        if decoded:
            self._metrics.decoded(decode_seconds + prepare_seconds)
        output, contents, render_seconds = await self._rendered(method, done.value, photo, params)

        return Result(
            artifacts=contents,
            facts=output.facts.model_dump_json(),
            warnings=(*output.warnings, *(() if model is None else _of_inputs(model.published.description))),
            timings=Timings(
                queued=max(0, round(queued.total_seconds() * 1000)),
                decode=round((decode_seconds + prepare_seconds) * 1000) if decoded else None,
                device=round(done.seconds * 1000),
                render=round(render_seconds * 1000),
            ),
            provenance=self._provenance(model, params),
        )

    async def model(self, name: str) -> Model:
        """The model, loaded if need be, and its description published the first time."""
        model = await in_pool(self._loading, self._models.get, name)
        if self._published.get(name) != model.published.digest:
            await self._publish(model)
        return model

    async def warm_up(self, names: Sequence[str]) -> None:
        """Loads, publishes and compiles; a model that cannot be loaded is logged and left to the jobs that ask for it."""
        log = get_logger(__name__)
        pixel = encode.png(np.zeros((1, 1, 3), np.uint8))
        await in_pool(self._decoding, self._decoder.decode, pixel, self._surroundings.image_limits)  # starts a decoding process
        for name in names:
            started = time.perf_counter()
            try:
                model = await self.model(name)
                await asyncio.wrap_future(self._scheduler.fast(Kind(id(model), "warm_up", name), model, _compile))
            except VisualizationError as error:
                log.error("model not preloaded", model=name, code=error.code, detail=error.detail)
            else:
                log.info("model ready", model=name, seconds=round(time.perf_counter() - started, 2))

    async def encode_preview(self, image: UInt8) -> bytes:
        return await in_pool(self._rendering, encode.png, image)

    def close(self) -> None:
        """Gives up its threads; what they are doing ends by itself."""
        for pool in (self._loading, self._decoding, self._rendering):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _describe(self, execution: Execution) -> Result:
        wanted: dict[str, str] = json.loads(execution.params)
        model = await in_pool(self._loading, self._models.get, wanted["model"])
        if model.published.digest != wanted["digest"]:
            raise ModelLoadFailed(f"The service and the worker see different versions of model '{wanted['model']}': restart the older one.")
        await self._publish(model)
        return Result(artifacts=(), facts="{}", warnings=(), timings=Timings(), provenance=self._provenance(model, None))

    async def _publish(self, model: Model) -> None:
        await when_available(lambda: self._store.models.publish(model.published))
        self._published[model.published.description.name] = model.published.digest

    async def _image(self, execution: Execution, *, needed: bool) -> tuple[UInt8 | None, float]:
        if not needed:
            return None, 0.0
        content = await when_available(lambda: self._store.images.file_of(execution))
        return await timed_in_pool(self._decoding, self._decoder.decode, content, self._surroundings.image_limits)

    async def _prepared(self, model: Model, image: UInt8 | None) -> tuple[Photo | None, Float32, float]:
        if image is None:
            spec = model.published.description.input
            return None, np.zeros((0, spec.height or 0, spec.width or 0, spec.channels), np.float32), 0.0
        (tensor, placement), seconds = await timed_in_pool(self._decoding, model.prepare, image)
        return Photo(image, placement), tensor[None], seconds

    async def _several(self, model: Model, images: Sequence[str]) -> tuple[tuple[Prepared, ...], float]:
        """Each image decoded and prepared, as many at a time as there are threads for it, and the seconds that took in all."""
        prepared: list[Prepared] = []
        seconds = 0.0
        for start in range(0, len(images), self._surroundings.decode_threads):
            some = range(start, min(start + self._surroundings.decode_threads, len(images)))
            for one, its_seconds in await asyncio.gather(*(self._one_of_several(model, images[number], number) for number in some)):
                prepared.append(one)
                seconds += its_seconds
        return tuple(prepared), seconds

    async def _one_of_several(self, model: Model, image_id: str, number: int) -> tuple[Prepared, float]:
        try:
            content = await when_available(lambda: self._store.images.file(image_id))
            image, decode_seconds = await timed_in_pool(self._decoding, self._decoder.decode, content, self._surroundings.image_limits)
        except (Expired, ImageTooLarge, InvalidImage, UnsupportedFormat) as error:
            raise type(error)(f"Image {number} ({image_id}): {error.detail}") from error
        (tensor, placement), prepare_seconds = await timed_in_pool(self._decoding, model.prepare, image)
        return Prepared(Photo(image, placement), tensor), decode_seconds + prepare_seconds

    def _keeping(self, reusable: Reusable | None, model: Model) -> Keeping | None:
        if reusable is None:
            return None
        versions = json.dumps(dict(self._surroundings.versions), sort_keys=True)
        return Keeping(self._store, self._rendering, reusable, model.published, versions)

    async def _on_device(
        self, method: Implementation, model: Model, inputs: Inputs, params: MethodParams, on_slice: Callable[[Slice], None]
    ) -> Done[Any]:
        if method.lane == "slow":
            kind = Kind(id(model), method.method, params.model_dump_json())
            return await asyncio.wrap_future(self._scheduler.slow(kind, method.run(model.probe, inputs, params), on_slice))

        def run(jobs: Sequence[tuple[Float32, MethodParams]]) -> Sequence[Any]:
            together = Inputs(np.concatenate([job_tensor for job_tensor, _ in jobs]))
            return method.run(model.probe, together, [job_params for _, job_params in jobs])

        kind = Kind(id(model), method.method, method.batch_key(params), inputs.tensor.shape)
        return await asyncio.wrap_future(self._scheduler.fast(kind, (inputs.tensor, params), run))

    async def _rendered(
        self, method: Implementation, value: Any, photo: Photo | None, params: MethodParams
    ) -> tuple[Output, tuple[EncodedArtifact, ...], float]:
        started = time.perf_counter()
        output = await in_pool(self._rendering, method.draw, value, photo, params)
        contents = await asyncio.gather(*(in_pool(self._rendering, encode.encode_artifact, artifact) for artifact in output.artifacts))
        seconds = time.perf_counter() - started
        self._metrics.rendered(method.method, seconds)
        return output, tuple(contents), seconds

    def _provenance(self, model: Model | None, params: MethodParams | None) -> Provenance:
        return Provenance(
            model_fingerprint="" if model is None else model.published.description.fingerprint,
            seed=getattr(params, "seed", None),
            precision=getattr(params, "precision", "float32"),
            device=self._surroundings.device,
            versions=dict(self._surroundings.versions),
        )


def _alone(image: UInt8) -> Photo:
    """A photo that no model takes."""
    height, width = image.shape[:2]
    return Photo(image, Placement((height, width), (0, 0, height, width), (0, 0, height, width)))


def _of_inputs(description: ModelDescription) -> tuple[str, ...]:
    """What a result of a model with inputs that a photo cannot fill rests on."""
    if not description.other_inputs:
        return ()
    names = ", ".join(description.other_inputs)
    return (f"The photo goes to input '{description.input.name}'; the model's other inputs ({names}) were given zeros.",)


def _compile(models: Sequence[Model]) -> Sequence[None]:
    """One gradient of zeros: the functions that a first Grad-CAM at the default layer would otherwise wait for."""
    for model in models:
        description = model.published.description
        spec = description.input
        zeros = np.zeros((1, spec.height or 224, spec.width or 224, spec.channels), np.float32)
        if description.default_layer is not None and description.classes is not None:
            model.probe.gradients(zeros, description.default_layer, np.array([-1], np.int32))
        else:
            model.probe.forward(zeros, [description.layers[-1].path])
    return [None] * len(models)
