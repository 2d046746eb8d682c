"""What a worker process is: one device, its models, its scheduler, and the loop that feeds them.

Imported by the fork server before any process exists, so everything here and below may be imported but nothing started.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from importlib import metadata
from weakref import WeakSet

import cv2
import keras
import numpy as np
import tensorflow as tf
from ulid import ULID

from catalog.watched_catalog import WatchedCatalog
from jobstore.store import JobStore
from processes.parent_death import end_with_multiprocessing_parent
from schemas.models import PublishedModel
from telemetry.logs import bind, configure_logs, get_logger
from workers.decoding.decoder import Decoder
from workers.engine.memory import use_device
from workers.engine.probe import KerasProbe
from workers.execution.attempt import Attempts
from workers.execution.claim_loop import Identity, Loop
from workers.execution.metrics import WorkerMetrics
from workers.execution.pipeline import Kind, Runner, Surroundings
from workers.execution.scheduler import Patience, Scheduler
from workers.methods import implementations
from workers.models.pool import ModelPool
from workers.settings import WorkerSettings
from workers.supervision.device import Device
from workers.supervision.watchdog import Watchdog


def main(settings: WorkerSettings, device: Device, index: int, watchdog: Watchdog) -> None:
    """Until SIGTERM, then drains. `index` counts the worker processes of one supervisor."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the supervisor answers it with SIGTERM
    end_with_multiprocessing_parent()
    configure_logs(settings.log_level, settings.log_format)
    cores = len(os.sched_getaffinity(0))
    threads = 1 if device.kind == "gpu" else settings.device_threads
    device.hide_others()
    use_device("GPU:0" if device.kind == "gpu" else "CPU:0", settings.intra_op_threads or max(1, cores // threads))
    cv2.setNumThreads(1)  # render threads draw in parallel already
    implementations()
    asyncio.run(_serve(settings, device, index, watchdog, threads))


async def _serve(settings: WorkerSettings, device: Device, index: int, watchdog: Watchdog, threads: int) -> None:
    if settings.redis_url is None:
        raise ValueError("a worker needs CONVSCOPE_REDIS_URL")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    metrics = WorkerMetrics()
    probes: WeakSet[KerasProbe] = WeakSet()

    def make_probe(model: keras.Model, published: PublishedModel) -> KerasProbe:
        probe = KerasProbe(model, published)
        probes.add(probe)
        return probe

    catalog = WatchedCatalog(settings.models_file, settings.models_dir)
    pool = ModelPool(catalog.current, settings.max_loaded_bytes, make_probe, settings.model_limits)
    metrics.watch_models(lambda: len(pool.loaded_names), lambda: sum(probe.traces for probe in probes))
    if settings.worker_metrics_port:
        metrics.serve(settings.worker_metrics_port + index)
    identity = Identity(f"{socket.gethostname()}-{ULID()}", device.name, lambda: pool.loaded_names)
    bind(worker=identity.id)
    scheduler = Scheduler(
        threads=threads,
        max_batch=settings.max_batch,
        patience=Patience(settings.device_timeout, settings.compile_timeout, settings.slow_patience),
        watch=watchdog,
        on_batch=lambda kind, size, seconds: metrics.device_call(kind.method if isinstance(kind, Kind) else str(kind), size, seconds),
    )
    store = JobStore.connect(settings.redis_url, settings)
    surroundings = Surroundings(device.name, versions(), settings.image_limits, settings.decode_threads, settings.render_threads)
    with Decoder(children=settings.decode_threads) as decoder:
        runner = Runner(store=store, models=pool, decoder=decoder, scheduler=scheduler, surroundings=surroundings, metrics=metrics)
        loop = Loop(
            identity=identity,
            store=store,
            attempts=Attempts(store, runner, settings),
            settings=settings,
            metrics=metrics,
            alive=watchdog.expect_event_loop,
        )
        warming = asyncio.create_task(runner.warm_up(settings.preload))
        get_logger(__name__).info("worker up", device=device.name, threads=threads)
        try:
            await loop.serve(stop)
        finally:
            warming.cancel()
            runner.close()
            scheduler.close()
            await store.close()


def versions() -> dict[str, str]:
    """What decides a result's numbers, for its provenance."""
    return {
        "convscope": metadata.version("convscope"),
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "numpy": np.__version__,
        "opencv": cv2.__version__,
    }
