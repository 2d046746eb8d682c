"""The way of a job from its execution to its result: load the inputs, compute, render, assemble."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import numpy as np

from jobstore.records import DESCRIBE, Execution, Result
from jobstore.store import JobStore
from rendering import encode
from schemas.errors import NonFinite, VisualizationError
from schemas.jobs import Timings
from schemas.methods import params_class
from schemas.methods.base import MethodParams
from telemetry.traces import span
from workers.contract.inputs import BoundInputs, Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.execution import annotate_pictures
from workers.execution.artifact_encoders import encode_artifacts, in_steps
from workers.execution.batch_key import BatchKey, apart
from workers.execution.computed_results import ComputedResults
from workers.execution.describe_model import describe_model
from workers.execution.device_budget import DeviceBudget
from workers.execution.drawn_outputs import DrawnOutput, RenderedOutput, output_and_facts
from workers.execution.further_models import load_further_models, with_further_models
from workers.execution.load_inputs import ImageDecoder, InputLoader
from workers.execution.loaded_inputs import LoadedInputs
from workers.execution.merge_frames import merged, params_of_later_frames, slices_of_frame
from workers.execution.metrics import WorkerMetrics
from workers.execution.model_access import ModelAccess, ModelProvider, OnLoading, UsableModel, ignore_loading
from workers.execution.model_warnings import bits_warnings, further_model_warnings, model_warnings
from workers.execution.piece_cache import NullPieceCache, PieceCache, StoredPieceCache
from workers.execution.pipeline_job import JobEnvironment, PipelineJob
from workers.execution.provenance import provenance
from workers.execution.scheduler import DeviceResult, Scheduler
from workers.execution.size_warnings import job_size_warnings
from workers.execution.threads import at_work_in_pool, in_pool
from workers.execution.warm_up import warm_up
from workers.methods import implementation


class Pipeline:
    """Runs jobs; any number of them can run at once, and the scheduler decides which are on the device."""

    def __init__(
        self,
        *,
        store: JobStore,
        loader: ModelProvider,
        decoder: ImageDecoder,
        scheduler: Scheduler,
        environment: JobEnvironment,
        metrics: WorkerMetrics,
    ) -> None:
        self._store, self._scheduler, self._environment, self._metrics = store, scheduler, environment, metrics
        self.models = ModelAccess(store, loader, environment.load_threads)
        self._inputs = InputLoader(store, decoder, environment.image_limits, environment.decode_threads)
        self._rendering = ThreadPoolExecutor(environment.render_threads, thread_name_prefix="render")
        self._computed = ComputedResults(environment.result_memory)

    async def run(
        self,
        execution: Execution,
        on_slice: Callable[[Slice], None],
        budget: DeviceBudget | None = None,
        on_loading: OnLoading = ignore_loading,
    ) -> Result:
        """Return the result of the execution. `on_slice` is called on a device thread after each slice of a slow method.

        `budget` limits the seconds that a slow method is on the device. None means that there is no limit.

        Raises:
            VisualizationError: The job cannot be done. The error's text is for the caller.
        """
        queued = (datetime.now(UTC) - execution.queued_at).total_seconds()
        if execution.method == DESCRIBE:
            return await describe_model(execution, self.models, on_loading, self._environment)
        params = params_class(execution.method).model_validate_json(execution.params)
        needs_model = params.card.needs_model
        with span("get model") if needs_model else nullcontext():
            model = await self.models.get(execution.model, execution.model_digest, on_loading) if needs_model else None
        further = await load_further_models(self.models, execution, params, on_loading)
        job = PipelineJob(execution, implementation(execution.method), params, model, on_slice, budget, queued, further)

        loaded = await self._load_inputs(job)
        if model is not None and loaded.frames:
            device, drawn = await self._explain_frames(job, model, loaded)
        else:
            value, device = (None, None) if model is None else await self._computed.of(job, partial(self._compute, job, model, loaded))
            drawn = await self._draw(job, loaded, value)
        rendered = await self._encode(job, drawn)
        return self._assemble(job, loaded, device, rendered)

    async def warm_up(self, models: Sequence[str], files: Sequence[tuple[str, str]] = ()) -> None:
        """Start a decoding process, then load and compile the models.

        Before that, withdraw what is no longer valid of what was published about the model files (name, digest).
        """
        await self.models.withdraw_outdated(files)
        await self._inputs.warm_up(encode.png(np.zeros((1, 1, 3), np.uint8)))
        await warm_up(models, self.models, self._scheduler)

    async def encode_preview(self, image: np.ndarray) -> bytes:
        """Return the PNG file of a preview, uint8 RGB (H, W, 3)."""
        return await in_pool(self._rendering, encode.png, image)

    def close(self) -> None:
        """Give the threads up. The calls that they are in end by themselves."""
        self.models.close()
        self._inputs.close()
        self._rendering.shutdown(wait=False, cancel_futures=True)

    async def _load_inputs(self, job: PipelineJob) -> LoadedInputs:
        with span("decode"):
            loaded = await self._inputs.load(job.execution, job.params, job.model)
            loaded = await with_further_models(self._inputs, job, loaded)
        if loaded.seconds is not None:
            self._metrics.decoded(loaded.seconds)
        return loaded

    async def _compute(self, job: PipelineJob, model: UsableModel, loaded: LoadedInputs) -> DeviceResult[Any]:
        try:
            return await self._compute_on_device(job, model, loaded)
        except NonFinite as error:
            error.detail = " ".join([error.detail, *model.published.description.warnings])  # they may be the cause
            raise

    async def _compute_on_device(self, job: PipelineJob, model: UsableModel, loaded: LoadedInputs) -> DeviceResult[Any]:
        if job.method.lane == "fast":
            return await self._run_fast(job, model, loaded)
        pieces = self._piece_cache(job, model)
        found = await pieces.find()
        result = await self._run_slow(job, model, replace(loaded.inputs, pieces=found), loaded.bound, pieces.recording(job.on_slice))
        await pieces.flush()
        return result

    async def _run_fast(self, job: PipelineJob, model: UsableModel, loaded: LoadedInputs) -> DeviceResult[Any]:
        inputs, bound = loaded.inputs, loaded.bound

        def run(batch: Sequence[tuple[Inputs, MethodParams]]) -> Sequence[Any]:
            together = Inputs(
                np.concatenate([each.tensor for each, _ in batch]),
                photos=tuple(photo for each, _ in batch for photo in each.photos),
                target_image=inputs.target_image,
            )
            return job.method.run(_probe(model, bound), together, [params for _, params in batch])

        parameters = job.method.batch_key(job.params)
        given = "" if bound is None else bound.key
        key = BatchKey(id(model), job.method.method, parameters, inputs.tensor.shape, given, loaded.fit, apart(job.execution))
        return await asyncio.wrap_future(self._scheduler.fast(key, (inputs, job.params), run))

    async def _run_slow(
        self, job: PipelineJob, model: UsableModel, inputs: Inputs, bound: BoundInputs | None, on_slice: Callable[[Slice], None]
    ) -> DeviceResult[Any]:
        key = BatchKey(id(model), job.method.method, job.params.model_dump_json())
        slices = job.method.run(_probe(model, bound), inputs, job.params)
        return await asyncio.wrap_future(self._scheduler.slow(key, slices, on_slice, job.budget))

    def _piece_cache(self, job: PipelineJob, model: UsableModel) -> PieceCache:
        reusable = job.method.reusable(job.params)
        if reusable is None:
            return NullPieceCache()
        versions = json.dumps(dict(self._environment.versions), sort_keys=True)
        return StoredPieceCache(self._store, self._rendering, reusable, model.published, versions, fresh=job.execution.fresh)

    async def _explain_frames(self, job: PipelineJob, model: UsableModel, loaded: LoadedInputs) -> tuple[float, DrawnOutput]:
        """Explain each frame of an animation like a job of its own, and return the seconds on the device and the merged output.

        The first frame decides which class is explained in the others, if the caller does not.
        """

        async def explain(given: PipelineJob, number: int) -> tuple[float, DrawnOutput]:
            frame = loaded.frames[number]
            inputs = loaded.of_frame(frame)
            one = replace(given, on_slice=slices_of_frame(job.on_slice, number, len(loaded.frames)))
            try:
                computed = await self._compute(one, model, inputs)
                return computed.seconds / computed.batch, await self._draw(one, inputs, computed.value)
            except VisualizationError as error:
                error.detail = f"Frame {frame.number}: {error.detail}"
                raise

        explained, others = [await explain(job, 0)], range(1, len(loaded.frames))
        later = replace(job, params=params_of_later_frames(job.params, explained[0][1].output.facts))
        if job.method.lane == "fast":
            explained += await asyncio.gather(*(explain(later, number) for number in others))
        else:  # one after the other, so that the progress only grows
            explained += [await explain(later, number) for number in others]
        started = time.perf_counter()
        outputs = [drawn.output for _, drawn in explained]
        whole = await at_work_in_pool(self._rendering, output_and_facts, merged, outputs, loaded.frames, job.params)
        drawing = sum(drawn.seconds for _, drawn in explained) + time.perf_counter() - started
        return sum(device for device, _ in explained), DrawnOutput(*whole, drawing)

    async def _draw(self, job: PipelineJob, loaded: LoadedInputs, value: Any) -> DrawnOutput:
        started = time.perf_counter()
        with span("render"):
            drawn = await at_work_in_pool(self._rendering, output_and_facts, annotate_pictures.draw, job, value, loaded.photo)
        return DrawnOutput(*drawn, time.perf_counter() - started)

    async def _encode(self, job: PipelineJob, drawn: DrawnOutput) -> RenderedOutput:
        started = time.perf_counter()
        with span("encode"):
            steps = in_steps(drawn.output.artifacts)
            encoded = await asyncio.gather(*(at_work_in_pool(self._rendering, encode_artifacts, step) for step in steps))
        by_name = dict(pair for step in encoded for pair in step.items())
        artifacts = tuple(by_name[each.name] for each in drawn.output.artifacts)
        seconds = drawn.seconds + time.perf_counter() - started
        self._metrics.rendered(job.method.method, seconds)
        return RenderedOutput(drawn.output, drawn.facts, artifacts, seconds)

    def _assemble(self, job: PipelineJob, loaded: LoadedInputs, device: float | None, rendered: RenderedOutput) -> Result:
        return Result(
            artifacts=rendered.artifacts,
            facts=rendered.facts,
            warnings=(
                *rendered.output.warnings,
                *model_warnings(job.model, job.params, loaded.given),
                *further_model_warnings(job.further, job.params),
                *job_size_warnings(job.model, loaded),
                *bits_warnings(loaded),
            ),
            timings=Timings(
                queued=max(0, round(job.queued * 1000)),
                decode=None if loaded.seconds is None else round(loaded.seconds * 1000),
                device=None if device is None else round(device * 1000),
                render=round(rendered.seconds * 1000),
            ),
            provenance=provenance(
                self._environment, job.model, job.params, loaded.given if job.execution.inputs else {}, loaded.fit, further=job.further
            ),
        )


def _probe(model: UsableModel, bound: BoundInputs | None) -> Probe:
    return model.probe if bound is None else model.probe.with_inputs(bound.name, bound.values, bound.preprocessing)
