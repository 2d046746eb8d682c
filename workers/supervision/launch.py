"""The supervisor with real worker processes. Imports nothing of TensorFlow: that is done where the processes are forked."""

from __future__ import annotations

import os
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext

from schemas.methods import METHODS
from workers.methods import module_of
from workers.settings import WorkerSettings
from workers.supervision.device import Device, devices
from workers.supervision.supervisor import Supervisor, fork_server
from workers.supervision.watchdog import Watchdog

PRELOAD = (
    "workers.engine.quiet_tensorflow",
    "keras",
    "cv2",
    "workers.execution.worker_process",
    *map(module_of, METHODS),
)
COUNT_SECONDS = 120.0


def run_workers(settings: WorkerSettings) -> None:
    """One worker process a device until SIGTERM or SIGINT. From the main thread, with `redis_url` set."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow is imported: no banner for each process
    os.environ["KERAS_BACKEND"] = "tensorflow"
    context = fork_server(PRELOAD)
    gpus = _count_gpus(context) if settings.devices == "auto" else 0
    supervisor = Supervisor(_worker, devices(settings.devices, gpus), settings, context)
    with supervisor.signals():
        supervisor.run()


def _worker(settings: WorkerSettings, device: Device, index: int, watchdog: Watchdog) -> None:
    from workers.execution.worker_process import main  # noqa: PLC0415 - the fork server has it; the supervisor must not

    main(settings, device, index, watchdog)


def _count_gpus(context: ForkServerContext) -> int:
    """As TensorFlow sees them, asked in a process of its own: counting initialises CUDA."""
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send_gpu_count, args=(sender,), name="count-gpus")
    process.start()
    sender.close()
    try:
        if not receiver.poll(COUNT_SECONDS):
            raise RuntimeError(f"TensorFlow did not say within {COUNT_SECONDS:g} s which devices there are")
        return int(receiver.recv())
    except EOFError:
        raise RuntimeError("the process that asks TensorFlow for its devices died; its output above says why") from None
    finally:
        process.kill()
        process.join()
        process.close()
        receiver.close()


def _send_gpu_count(answer: Connection) -> None:
    from workers.engine.memory import devices as visible_devices  # noqa: PLC0415 - see _worker

    answer.send(sum(device.kind == "GPU" for device in visible_devices()))
