"""The engine without a service: Grad-CAMs of `efficientnet_lite0` in one process, as the worker computes them.

It runs as a program of its own, so that its threads are set up as those of a worker. `time_alone` starts it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

MODEL = "efficientnet_lite0"
_ROOT = Path(__file__).parents[1]
_WARM_UP = 3


def time_alone(batch: int, calls: int = 40) -> dict[str, float]:
    """Time the engine as a worker with its default settings calls it: from one thread, with all cores for an operation.

    Args:
        batch: the number of images that one call explains.
        calls: the number of calls that count.

    Returns:
        `images_per_second`, `processor_ms` (the processor time of an image) and `call_ms` (the median time of a call).
    """
    command = [sys.executable, "-m", "benchmarks.engine_alone", "--batch", str(batch), "--threads", "1", "--calls", str(calls)]
    ended = subprocess.run(command, cwd=_ROOT, check=True, capture_output=True, text=True)  # noqa: S603 - the command is fixed
    return json.loads(ended.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engine_alone", description=__doc__)
    parser.add_argument("--batch", type=int, required=True, help="the number of images that one call explains")
    parser.add_argument("--threads", type=int, required=True, help="the number of threads that call the engine at the same time")
    parser.add_argument("--calls", type=int, required=True, help="the number of calls of each thread")
    arguments = parser.parse_args()
    json.dump(_measure(arguments.batch, arguments.threads, arguments.calls), sys.stdout)


def _measure(batch: int, threads: int, calls: int) -> dict[str, float]:
    from catalog.catalog import load_catalog
    from schemas.limits import MethodLimits
    from schemas.methods.cam.grad_cam import GradCam
    from workers.contract.inputs import Inputs
    from workers.engine.devices import use_device
    from workers.methods.cam import grad_cam
    from workers.models.pool import ModelPool

    use_device("CPU:0", max(1, len(os.sched_getaffinity(0)) // threads))
    nowhere = Path("/nonexistent")
    loaded = ModelPool(load_catalog(nowhere / "models.toml", nowhere), 2**30).get(MODEL)
    jobs = [GradCam().resolve(loaded.published, MethodLimits())] * batch
    side = loaded.published.description.input.height or 224
    photos = np.random.default_rng(0).integers(0, 256, (batch, side, side, 3), dtype=np.uint8)
    inputs = Inputs(np.stack([loaded.prepare(photo)[0] for photo in photos]))

    def call(_: int) -> float:
        began = time.perf_counter()
        grad_cam.run(loaded.probe, inputs, jobs)
        return time.perf_counter() - began

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(call, range(_WARM_UP * threads)))
        began, processor = time.perf_counter(), time.process_time()
        seconds = list(pool.map(call, range(calls * threads)))
        taken, spent = time.perf_counter() - began, time.process_time() - processor
    images = batch * calls * threads
    return {"images_per_second": images / taken, "processor_ms": 1000 * spent / images, "call_ms": 1000 * statistics.median(seconds)}


if __name__ == "__main__":
    main()
