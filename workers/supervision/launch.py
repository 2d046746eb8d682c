"""Run the supervisor with real worker processes.

This module does not import TensorFlow. The fork server imports TensorFlow once, before it forks the worker processes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from typing import Any

from schemas.methods import METHODS
from workers.methods import module_of
from workers.settings import WorkerSettings
from workers.supervision.crash_record import CrashRecord
from workers.supervision.device import Device, devices_to_use
from workers.supervision.give_back import DeadWorkers
from workers.supervision.supervisor import Supervisor, WorkerMain, fork_server
from workers.supervision.watchdog import Watchdog

PRELOAD = (
    "workers.engine.quiet_tensorflow",
    "keras",
    "cv2",
    "workers.supervision.worker_process",
    *map(module_of, METHODS),
)
_ANSWER_SECONDS = 120.0


class CustomObjectsUnusable(Exception):
    """Objects of the setting `custom_objects` cannot be imported. The message is for the operator."""


def run_workers(settings: WorkerSettings) -> None:
    """Run one worker process on each device until SIGTERM or SIGINT. Call it from the main thread.

    Args:
        settings: the workers' settings. `redis_url` must not be None.

    Raises:
        RuntimeError: TensorFlow did not say which devices this machine has.
        CustomObjectsUnusable: objects of the setting `custom_objects` cannot be imported.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow reads it when it is imported; 3 suppresses a banner from each process
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # NumPy's small products come from several threads at once. OpenBLAS would wake a thread for each core, which then waits by spinning.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    context = fork_server(PRELOAD)
    if settings.custom_objects and (fault := _answer_of_child(context, _send_import_fault, settings.custom_objects)):
        raise CustomObjectsUnusable(f"CONVSCOPE_CUSTOM_OBJECTS cannot be used. {fault}")
    gpus = _answer_of_child(context, _send_gpu_count) if settings.devices == "auto" else 0
    supervise(_run_worker, devices_to_use(settings.devices, gpus), settings, context)


def supervise(main: WorkerMain, devices: Sequence[Device], settings: WorkerSettings, context: ForkServerContext) -> None:
    """Run `main` in one process on each device until SIGTERM or SIGINT. What a process holds when it dies is given back."""
    if settings.redis_url is None:
        raise ValueError("Workers need the address of a Redis, but CONVSCOPE_REDIS_URL is not set.")
    dead = DeadWorkers(settings.redis_url, settings)
    supervisor = Supervisor(main, devices, settings, context, on_death=dead.give_back)
    with supervisor.signals():
        supervisor.run()
    dead.close()


def _run_worker(settings: WorkerSettings, device: Device, index: int, watchdog: Watchdog, record: CrashRecord) -> None:
    from workers.supervision.worker_process import main  # noqa: PLC0415 - only the forked process may import TensorFlow

    main(settings, device, index, watchdog, record)


def _answer_of_child(context: ForkServerContext, send: Callable[..., None], *arguments: object) -> Any:
    """Return what `send(answer, *arguments)` sends in a process of its own. Counting GPUs, for example, would initialise CUDA here."""
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=send, args=(sender, *arguments), name=send.__name__.strip("_"))
    process.start()
    sender.close()
    try:
        if not receiver.poll(_ANSWER_SECONDS):
            raise RuntimeError(f"A process that the workers need before they start ({process.name}) did not end in {_ANSWER_SECONDS:g} s.")
        return receiver.recv()
    except EOFError:
        raise RuntimeError(f"A process that the workers need before they start ({process.name}) died. Its output is above.") from None
    finally:
        process.kill()
        process.join()
        process.close()
        receiver.close()


def _send_gpu_count(answer: Connection) -> None:
    from workers.engine.devices import list_devices  # noqa: PLC0415 - only the forked process may import TensorFlow

    answer.send(sum(device.kind == "GPU" for device in list_devices()))


def _send_import_fault(answer: Connection, names: tuple[str, ...]) -> None:
    from workers.models.custom_objects import import_fault  # noqa: PLC0415 - only the forked process may import TensorFlow

    answer.send(import_fault(names))
