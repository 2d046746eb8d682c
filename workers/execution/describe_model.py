"""Run the internal job by which the service asks a worker to describe a model."""

from __future__ import annotations

from jobstore.records import Execution
from schemas.errors import ModelChanged, ModelLoadFailed, ModelLoadInterrupted
from schemas.models import UnloadableModel
from workers.execution.model_access import ModelAccess, UsableModel


async def describe_model(execution: Execution, models: ModelAccess) -> UsableModel:
    """Load the model that the execution names, publish its description, and return the model.

    If the model can never be loaded, publish the reason instead.

    Raises:
        UnknownModel: There is no model of this name.
        ModelChanged: The worker has another version of the model than the service.
        ModelLoadFailed: The model cannot be loaded.
    """
    try:
        model = await models.load(execution.model)
    except ModelLoadInterrupted:
        raise
    except ModelLoadFailed as error:
        await models.publish_failure(UnloadableModel(name=execution.model, digest=execution.model_digest, reason=error.detail))
        raise
    if model.published.digest != execution.model_digest:
        raise ModelChanged(f"The service and the worker see different versions of model '{execution.model}'. Try again shortly.")
    await models.publish(model)
    return model
