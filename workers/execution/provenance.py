"""Say how a result was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from schemas.jobs import Provenance
from schemas.methods.base import MethodParams
from schemas.models import Fit
from workers.execution.model_access import UsableModel
from workers.execution.pipeline_job import JobEnvironment


def provenance(
    environment: JobEnvironment,
    model: UsableModel | None,
    params: MethodParams | None,
    given: Mapping[str, str] = MappingProxyType({}),
    fit: Fit | None = None,
    *,
    further: Sequence[UsableModel] = (),
) -> Provenance:
    """Return the provenance of a result.

    `given` are the ids of the files that the model's inputs were given, by the inputs' names. `fit` is
    how the photo was brought to the model's input. `further` are the models that the job ran besides.
    """
    models = [] if model is None else [model, *further]
    return Provenance(
        model_fingerprint="" if model is None else model.published.description.fingerprint,
        further_models={each.published.description.name: each.published.description.fingerprint for each in further},
        seed=getattr(params, "seed", None),
        precision=getattr(params, "precision", "float32"),
        device=environment.device,
        versions=dict(environment.versions),
        custom_objects=tuple(dict.fromkeys(name for each in models for name in each.published.description.custom_objects)),
        inputs=dict(given),
        fit=fit,
    )
