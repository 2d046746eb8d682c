"""A worker whose method `predict` fails for two images: one always kills the process, and one hangs the first time it is run."""

from __future__ import annotations

import io
import os
import signal
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.workers.tiny import photo
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.settings import WorkerSettings
from workers.supervision.crash_record import CrashRecord
from workers.supervision.device import Device
from workers.supervision.watchdog import Watchdog

KILLS, HANGS = 6666, 7777


def worker(settings: WorkerSettings, device: Device, index: int, watchdog: Watchdog, record: CrashRecord) -> None:
    from schemas.models import Preprocessing
    from workers.methods.inspection import predict
    from workers.models.preprocessing import prepare
    from workers.supervision.worker_process import main

    right = predict.run
    kills, hangs = (
        prepare(np.asarray(Image.open(io.BytesIO(photo(seed)))), Preprocessing.named("tf"), (24, 20), 3)[0] for seed in (KILLS, HANGS)
    )
    hung = Path(settings.data_dir) / "hung"

    def wrong(probe: Probe, inputs: Inputs, params: Sequence[Any]) -> list[Any]:
        for tensor in inputs.tensor:
            if np.array_equal(tensor, kills):
                os.kill(os.getpid(), signal.SIGKILL)
            if np.array_equal(tensor, hangs) and not hung.exists():
                hung.touch()
                threading.Event().wait()
        return right(probe, inputs, params)

    predict.run = wrong
    main(settings, device, index, watchdog, record)
