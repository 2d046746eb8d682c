"""Look up the further models of a job, and complete its parameters for them."""

from __future__ import annotations

from collections.abc import Sequence

from schemas.errors import VisualizationError
from schemas.methods.base import MethodParams
from schemas.methods.forward_only import check_forward_only
from schemas.methods.further_models import FurtherModelsParams
from schemas.models import PublishedModel
from service.dependencies import Services
from service.parse_request import ParsedRequest
from service.request_pointers import pointers_of


async def further_models(services: Services, parsed: ParsedRequest, wait: float) -> tuple[PublishedModel, ...]:
    """Return what workers have published about the further models of a request, in its order. Other methods have none.

    Models that nobody has described yet are described one after the other, each within the time that one model may take.

    Raises:
        LimitExceeded: the job would run too many models.
        InvalidParameters: a model stands there twice.
        UnknownModel: there is no such model.
        VisualizationError: whatever else `ModelLookup.published` raises. The error points to the model.
    """
    params = parsed.params
    if not isinstance(params, FurtherModelsParams):
        return ()
    with pointers_of(parsed):
        params.check_models(parsed.model, services.settings.method_limits)
    found: list[PublishedModel] = []
    for number, name in enumerate(params.models):
        pointer = f"{parsed.params_pointer}/models/{number}"
        entry = await services.models.entry(name, pointer)
        try:
            published = await services.models.published(entry, wait)
            check_forward_only(params, published.description, pointer=pointer)
        except VisualizationError as error:
            error.pointer = pointer
            raise
        found.append(published)
    return tuple(found)


def resolved_for_further(
    services: Services, parsed: ParsedRequest, resolved: MethodParams, further: Sequence[PublishedModel]
) -> MethodParams:
    """Return resolved parameters completed for the further models, too."""
    if not isinstance(resolved, FurtherModelsParams):
        return resolved
    with pointers_of(parsed):
        return resolved.resolve_further(further, services.settings.method_limits)
