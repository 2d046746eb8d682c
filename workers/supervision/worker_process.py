"""Put a worker process together: one device, its models, its scheduler, and the loop that gives them jobs.

The fork server imports this module before any worker process exists. So importing it, and all that it imports, must not start anything.
"""

# pyright: basic
# Keras has no type stubs, and only this module of the room uses it.

from __future__ import annotations

import asyncio
import os
import signal
import socket
from importlib import metadata
from importlib.util import find_spec
from weakref import WeakSet

import cv2
import keras
import numpy as np
import tensorflow as tf
from ulid import ULID

from catalog.watched_catalog import WatchedCatalog
from decoding.decoder import Decoder
from jobstore.store import JobStore
from processes.parent_death import end_with_multiprocessing_parent
from schemas.models import PublishedModel
from telemetry.logs import bind, configure_logs, get_logger
from telemetry.slow_callbacks import slow_callbacks_logged
from telemetry.traces import traces_to
from workers.engine.devices import use_device
from workers.engine.probe import KerasProbe
from workers.execution.at_work import ExecutionsAtWork
from workers.execution.attempt import Attempts
from workers.execution.batch_key import BatchKey
from workers.execution.claim_loop import ClaimLoop, WorkerIdentity
from workers.execution.device_calls import DeviceTimeouts
from workers.execution.metrics import WorkerMetrics
from workers.execution.pipeline import Pipeline
from workers.execution.pipeline_job import JobEnvironment
from workers.execution.scheduler import Scheduler
from workers.methods import implementations
from workers.models.custom_objects import import_custom_objects
from workers.models.loaders.extras import without_extra
from workers.models.pool import ModelPool
from workers.models.released_memory import exclude_imported_objects
from workers.settings import WorkerSettings
from workers.supervision.crash_record import CrashRecord
from workers.supervision.device import Device
from workers.supervision.watchdog import Watchdog

_LOOK_SECONDS = 60.0  # between two looks for models that were deleted
# The packages that run ONNX and TFLite files, each with its module. They need not be installed.
_RUNTIMES = {"onnxruntime": "onnxruntime", "ai-edge-litert": "ai_edge_litert"}


def main(settings: WorkerSettings, device: Device, index: int, watchdog: Watchdog, record: CrashRecord) -> None:
    """Work until SIGTERM, then drain. `index` is the number of this worker process among those of its supervisor, from 0."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the supervisor then sends SIGTERM
    end_with_multiprocessing_parent()
    configure_logs(settings.log_level, settings.log_format)
    cores = len(os.sched_getaffinity(0))
    threads = 1 if device.kind == "gpu" else settings.device_threads
    device.hide_others()
    use_device("GPU:0" if device.kind == "gpu" else "CPU:0", settings.intra_op_threads or max(1, cores // threads))
    cv2.setNumThreads(1)  # the render threads already work in parallel
    implementations()
    import_custom_objects(settings.custom_objects)
    exclude_imported_objects()
    with slow_callbacks_logged(settings.slow_callback):
        asyncio.run(_serve(settings, device, index, watchdog, record, threads=threads))


async def _serve(settings: WorkerSettings, device: Device, index: int, watchdog: Watchdog, record: CrashRecord, *, threads: int) -> None:
    if settings.redis_url is None:
        raise ValueError("A worker process needs the address of a Redis, but CONVSCOPE_REDIS_URL is not set.")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    metrics = WorkerMetrics()

    def after_call(key: object, size: int, seconds: float) -> None:
        metrics.device_call(key.method if isinstance(key, BatchKey) else str(key), size, seconds)
        pool.trim()  # the call may have compiled functions and made copies of weights

    scheduler = Scheduler(
        threads=threads,
        max_batch=settings.max_batch,
        timeouts=DeviceTimeouts(settings.device_timeout, settings.compile_timeout),
        slow_patience=settings.slow_patience,
        watch=watchdog,
        on_call=after_call,
    )
    probes: WeakSet[KerasProbe] = WeakSet()

    def make_probe(model: keras.Model, published: PublishedModel) -> KerasProbe:
        probe = KerasProbe(model, published, compiling=scheduler.compiling, limits=settings.model_limits.activations)
        probes.add(probe)
        return probe

    catalog = WatchedCatalog(settings.models_file, settings.models_dir)
    pool = ModelPool(catalog.entry, settings.max_loaded_bytes, make_probe, settings.model_limits)
    metrics.watch_models(lambda: len(pool.loaded_names), lambda: sum(probe.traces for probe in probes))
    if settings.worker_metrics_port:
        metrics.serve(settings.worker_metrics_port + index, settings.worker_metrics_host)
    identity = WorkerIdentity(f"{socket.gethostname()}-{ULID()}", device.name, lambda: pool.loaded_names)
    record.name_worker(identity.id)
    bind(worker=identity.id)
    store, traces = JobStore.connect(settings.redis_url, settings), traces_to(settings.traces_endpoint, "convscope-worker")
    environment = _environment(device.name, settings)
    with Decoder(children=settings.decode_threads, seconds=settings.decode_seconds, memory_bytes=settings.decode_memory_bytes) as decoder:
        pipeline = Pipeline(store=store, loader=pool, decoder=decoder, scheduler=scheduler, environment=environment, metrics=metrics)
        loop = ClaimLoop(
            identity=identity,
            store=store,
            attempts=Attempts(store, pipeline, settings, traces),
            settings=settings,
            metrics=metrics,
            at_work=ExecutionsAtWork(record),
            alive=watchdog.expect_event_loop,
        )
        background = [asyncio.create_task(each) for each in (_prepare(pipeline, catalog, settings), _drop_absent(pool, catalog))]
        get_logger(__name__).info("worker up", device=device.name, threads=threads)
        try:
            await loop.serve(stop)
        finally:
            for task in background:
                task.cancel()
            pipeline.close()
            scheduler.close()
            await store.close()
            await asyncio.to_thread(traces.close)


def _environment(device: str, settings: WorkerSettings) -> JobEnvironment:
    return JobEnvironment(
        device=device,
        versions=versions(),
        image_limits=settings.image_limits,
        decode_threads=settings.decode_threads,
        render_threads=settings.render_threads,
        load_threads=settings.load_threads,
        result_memory=settings.result_memory,
    )


async def _prepare(pipeline: Pipeline, catalog: WatchedCatalog, settings: WorkerSettings) -> None:
    """Warm the pipeline up, and publish which models cannot be run here, so that they are listed as unusable at once."""
    present = await asyncio.to_thread(catalog.current)
    files = [(entry.name, entry.digest) for entry in present.values() if entry.file is not None]
    await pipeline.warm_up(settings.preload, files)
    for model in without_extra(present):
        get_logger(__name__).warning("a model cannot be run here", model=model.name, reason=model.reason)
        await pipeline.models.publish_failure(model)


async def _drop_absent(pool: ModelPool, catalog: WatchedCatalog) -> None:
    """Unload models that were deleted or replaced, also if nobody asks for another one."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        try:
            await asyncio.to_thread(pool.drop_absent, catalog.has)
        except OSError as error:  # a network folder may be away for a time
            get_logger(__name__).warning("the models folder cannot be read", reason=str(error))


def versions() -> dict[str, str]:
    """Return the versions of the software that decides a result's numbers, for the provenance of results."""
    return {
        "convscope": metadata.version("convscope"),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        **{name: metadata.version(name) for name, module in _RUNTIMES.items() if find_spec(module) is not None},
    }
