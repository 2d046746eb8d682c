"""Say how a result was made."""

from __future__ import annotations

from collections.abc import Mapping
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
) -> Provenance:
    """Return the provenance of a result.

    `given` are the ids of the files that the model's inputs were given, by the inputs' names. `fit` is
    how the photo was brought to the model's input.
    """
    return Provenance(
        model_fingerprint="" if model is None else model.published.description.fingerprint,
        seed=getattr(params, "seed", None),
        precision=getattr(params, "precision", "float32"),
        device=environment.device,
        versions=dict(environment.versions),
        custom_objects=() if model is None else model.published.description.custom_objects,
        inputs=dict(given),
        fit=fit,
    )
