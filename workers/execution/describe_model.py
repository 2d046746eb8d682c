"""Run the internal job by which the service asks a worker to describe a model."""

from __future__ import annotations

import json

from jobstore.records import Execution
from schemas.errors import ModelLoadFailed, ModelLoadInterrupted
from schemas.models import UnloadableModel
from workers.execution.model_access import ModelAccess, UsableModel


async def describe_model(execution: Execution, models: ModelAccess) -> UsableModel:
    """Load the model that the execution names, publish its description, and return the model.

    If the model can never be loaded, publish the reason instead.

    Raises:
        UnknownModel: There is no model of this name.
        ModelLoadFailed: The model cannot be loaded, or the service sees another version of it.
    """
    wanted: dict[str, str] = json.loads(execution.params)
    try:
        model = await models.load(wanted["model"])
    except ModelLoadInterrupted:
        raise
    except ModelLoadFailed as error:
        await models.publish_failure(UnloadableModel(name=wanted["model"], digest=wanted["digest"], reason=error.detail))
        raise
    if model.published.digest != wanted["digest"]:
        raise ModelLoadFailed(
            f"The service and the worker see different versions of model '{wanted['model']}'. Restart the one that started first."
        )
    await models.publish(model)
    return model
