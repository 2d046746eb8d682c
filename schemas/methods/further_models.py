"""The parameter of methods that run several models on the same photos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field, field_validator

from schemas.errors import InvalidParameters, LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.models import AskedModelName, PublishedModel


class FurtherModelsParams(MethodParams):
    """Parameters of a method that runs further models besides the model of the request.

    The service calls `resolve` with the model of the request, and then `resolve_further` with the others.
    """

    models: Annotated[tuple[AskedModelName, ...], Field(min_length=1)] = Field(
        description=(
            "These are the names of the further models, which are compared with the `model` of the request. Each model may stand here "
            "once. All models run on one worker, so their weights must fit into its memory together."
        ),
        examples=[["mobilenet_v2"]],
    )

    @field_validator("models")
    @classmethod
    def _each_model_once(cls, models: tuple[str, ...]) -> tuple[str, ...]:
        if twice := next((name for name in models if models.count(name) > 1), None):
            raise ValueError(f"each model may stand here once, but '{twice}' stands here {models.count(twice)} times")
        return models

    def check_models(self, model: str, limits: MethodLimits) -> None:
        """Check the names of the further models before the models are looked up.

        Args:
            model: the name of the model of the request.
            limits: the limits of one job.

        Raises:
            LimitExceeded: the job would run more models than one job may.
            InvalidParameters: the model of the request is among the further models.
        """
        if len(self.models) + 1 > limits.max_models:
            raise LimitExceeded(
                f"One job compares at most {limits.max_models} models, got {len(self.models) + 1} with the model of the request.",
                pointer="/params/models",
                allowed=f"at most {limits.max_models - 1} further models",
                got=str(len(self.models)),
            )
        if model in self.models:
            raise InvalidParameters(
                f"'{model}' is the model of the request, so it cannot be a further model. Give another model.",
                pointer=f"/params/models/{self.models.index(model)}",
                allowed="another model",
                got=model,
            )

    def resolve_further(self, further: Sequence[PublishedModel], limits: MethodLimits) -> Self:
        """Return these parameters, which `resolve` has completed, completed and checked for the further models, in the order of `models`.

        It raises what `resolve` raises.
        """
        raise NotImplementedError
