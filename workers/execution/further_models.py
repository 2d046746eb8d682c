"""The further models of a job: load them, and bring the job's images to their inputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from jobstore.records import Execution
from schemas.errors import VisualizationError
from schemas.methods.base import MethodParams
from schemas.methods.further_models import FurtherModelsParams
from schemas.methods.several_images import ImagesParams
from workers.contract.inputs import FurtherModel, Prepared
from workers.execution.fitted_input import FittedInput
from workers.execution.load_inputs import InputLoader
from workers.execution.loaded_inputs import LoadedInputs
from workers.execution.model_access import ModelAccess, OnLoading, UsableModel
from workers.execution.pipeline_job import PipelineJob


async def load_further_models(
    models: ModelAccess, execution: Execution, params: MethodParams, on_loading: OnLoading
) -> tuple[UsableModel, ...]:
    """Return the further models of a job, in the order of its parameters. They are loaded one after the other.

    Raises:
        VisualizationError: whatever `ModelAccess.get` raises. The error names the model.
    """
    if not isinstance(params, FurtherModelsParams):
        return ()
    found: list[UsableModel] = []
    for name in params.models:
        try:
            found.append(await models.get(name, execution.further_models.get(name, ""), on_loading))
        except VisualizationError as error:
            if name not in error.detail:
                error.detail = f"Model '{name}': {error.detail}"
            raise
    return tuple(found)


async def with_further_models(loader: InputLoader, job: PipelineJob, loaded: LoadedInputs) -> LoadedInputs:
    """Return the inputs of a job with its images as inputs of its further models.

    Each model brings an image to its own size and units. What was decoded again is not kept twice.
    """
    if not job.further or not isinstance(job.params, ImagesParams):
        return loaded
    found: list[FurtherModel] = []
    seconds = loaded.seconds or 0.0
    for model in job.further:
        takes = FittedInput(model, model.published.description.input.name, job.params.fit)
        several, took = await loader.load_several(job.execution, job.params.image_places(), takes)
        found.append(FurtherModel(model.probe, _sharing_photos(several, loaded.inputs.several)))
        seconds += took
    return replace(loaded, inputs=replace(loaded.inputs, further=tuple(found)), seconds=seconds)


def _sharing_photos(several: Sequence[Prepared], others: Sequence[Prepared]) -> tuple[Prepared, ...]:
    """Return the images with the pixels of `others` where these are the same."""
    return tuple(
        replace(each, photo=replace(each.photo, image=other.photo.image)) if np.array_equal(each.photo.image, other.photo.image) else each
        for each, other in zip(several, others, strict=True)
    )
