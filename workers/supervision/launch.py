"""Run the supervisor with real worker processes.

This module does not import TensorFlow. The fork server imports TensorFlow once, before it forks the worker processes.
"""

from __future__ import annotations

import os
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext

from schemas.methods import METHODS
from workers.methods import module_of
from workers.settings import WorkerSettings
from workers.supervision.device import Device, devices_to_use
from workers.supervision.supervisor import Supervisor, fork_server
from workers.supervision.watchdog import Watchdog

PRELOAD = (
    "workers.engine.quiet_tensorflow",
    "keras",
    "cv2",
    "workers.supervision.worker_process",
    *map(module_of, METHODS),
)
_COUNT_SECONDS = 120.0


def run_workers(settings: WorkerSettings) -> None:
    """Run one worker process on each device until SIGTERM or SIGINT. Call it from the main thread.

    Args:
        settings: the workers' settings. `redis_url` must not be None.

    Raises:
        RuntimeError: TensorFlow did not say which devices this machine has.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it when it is imported; 3 suppresses a banner from each process
    os.environ["KERAS_BACKEND"] = "tensorflow"
    context = fork_server(PRELOAD)
    gpus = _count_gpus(context) if settings.devices == "auto" else 0
    supervisor = Supervisor(_run_worker, devices_to_use(settings.devices, gpus), settings, context)
    with supervisor.signals():
        supervisor.run()


def _run_worker(settings: WorkerSettings, device: Device, index: int, watchdog: Watchdog) -> None:
    from workers.supervision.worker_process import main  # noqa: PLC0415 - only the forked process may import TensorFlow

    main(settings, device, index, watchdog)


def _count_gpus(context: ForkServerContext) -> int:
    """Count the GPUs that TensorFlow sees, in a separate process, because counting initialises CUDA."""
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_gpu_count, args=(sender,), name="count-gpus")
    process.start()
    sender.close()
    try:
        if not receiver.poll(_COUNT_SECONDS):
            raise RuntimeError(f"TensorFlow did not list the devices of this machine within {_COUNT_SECONDS:g} s.")
        return int(receiver.recv())
    except EOFError:
        raise RuntimeError("The process that asks TensorFlow for its devices died. Its output above says why.") from None
    finally:
        process.kill()
        process.join()
        process.close()
        receiver.close()


def _send_gpu_count(answer: Connection) -> None:
    from workers.engine.devices import list_devices  # noqa: PLC0415 - only the forked process may import TensorFlow

    answer.send(sum(device.kind == "GPU" for device in list_devices()))
