"""Load and compile models before the first job asks for them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import numpy as np

from schemas.errors import VisualizationError
from telemetry.logs import get_logger
from workers.execution.batch_key import BatchKey
from workers.execution.model_access import ModelAccess, UsableModel
from workers.execution.scheduler import Scheduler


async def warm_up(names: Sequence[str], models: ModelAccess, scheduler: Scheduler) -> None:
    """Load, publish and compile each model. If a model cannot be loaded, log it and go on: a job that asks for it gets the error."""
    log = get_logger(__name__)
    for name in names:
        started = time.perf_counter()
        try:
            model = await models.get(name)
            await asyncio.wrap_future(scheduler.fast(BatchKey(id(model), "warm_up", name), model, _compile))
        except VisualizationError as error:
            log.error("model not preloaded", model=name, code=error.code, detail=error.detail)
        else:
            log.info("model ready", model=name, seconds=round(time.perf_counter() - started, 2))


def _compile(models: Sequence[UsableModel]) -> Sequence[None]:
    """Run each model once on zeros, the way a Grad-CAM at its default layer does, so that TensorFlow compiles these functions.

    A model that can only be run has been run when it was described.

    Ask for the size of a pass too, so that the speed of the device is measured before jobs come.
    """
    for model in models:
        description = model.published.description
        spec = description.input
        size = (spec.height or 224, spec.width or 224)
        model.probe.inputs_per_pass(size)
        zeros = np.zeros((1, *size, spec.channels), np.float32)
        if description.default_layer is not None and description.classes is not None:
            model.probe.gradients(zeros, description.default_layer, np.array([-1], np.int32))
        elif description.layers:
            model.probe.forward(zeros, [description.layers[-1].path])
    return [None] * len(models)
