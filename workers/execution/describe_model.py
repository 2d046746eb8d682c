"""Run the internal job by which the service asks a worker to describe a model."""

from __future__ import annotations

from jobstore.records import Execution, Result
from schemas.errors import ModelLoadFailed, ModelLoadInterrupted, ModelTooLarge
from schemas.jobs import Timings
from schemas.models import UnloadableModel
from workers.execution.model_access import ModelAccess, OnLoading
from workers.execution.pipeline_job import JobEnvironment
from workers.execution.provenance import provenance


async def describe_model(execution: Execution, models: ModelAccess, on_loading: OnLoading, environment: JobEnvironment) -> Result:
    """Load the model that the execution names, publish its description, and return a result without artifacts.

    If the model can never be loaded, publish the reason instead.

    Raises:
        UnknownModel: There is no model of this name.
        ModelChanged: The worker has another version of the model than the service.
        ModelLoadFailed: The model cannot be loaded.
        ModelTooLarge: The activations of the model are too large.
    """
    try:
        model = await models.load(execution.model, execution.model_digest, on_loading)
    except ModelLoadInterrupted:
        raise
    except (ModelLoadFailed, ModelTooLarge) as error:
        code = "model_too_large" if isinstance(error, ModelTooLarge) else "model_load_failed"
        await models.publish_failure(UnloadableModel(name=execution.model, digest=execution.model_digest, reason=error.detail, code=code))
        raise
    await models.publish(model)
    return Result(artifacts=(), facts="{}", warnings=(), timings=Timings(), provenance=provenance(environment, model, None))
