"""The base class of every method's parameters."""

from __future__ import annotations

from collections.abc import Set
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.models import PublishedModel

ONLY_DRAWN = frozenset({"annotate", "alpha", "clip", "colormap", "smooth"})


class MethodParams(BaseModel):
    """The parameters of a method. A subclass with a `card` is a method; the registry finds it in this folder by itself.

    The service calls `resolve` before it queues a job. The resolved parameters are complete: the job shows them as its
    `params`, workers run them, and identical jobs are recognised by them. Jobs that differ in nothing but the parameters `only_drawn`
    are drawn from the same computed result, so the method's `run` must not read these; a method may have others than the usual ones.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    card: ClassVar[MethodCard]
    only_drawn: ClassVar[Set[str]] = ONLY_DRAWN

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        """Return these parameters completed and checked for `model`.

        Fill in what only the model decides (its default layer, the class index of a label, the numbers of a preset), and
        check what only the model can check.

        Raises:
            UnknownLayer: the model has no such layer.
            UnsuitableLayer: the method cannot look at this layer.
            UnknownClass: the model has no such class.
            UnknownChannel: the layer has no such channel.
            InvalidParameters: another parameter does not fit the model.
            LimitExceeded: the job would be larger than one job may be.
        """
        return self

    def resolve_alone(self, limits: MethodLimits) -> Self:
        """Return these parameters completed and checked, for a method that needs no model. It raises what `resolve` raises."""
        return self

    def changed(self, **changes: Any) -> Self:
        """Return a validated copy with some fields replaced.

        Raises:
            pydantic.ValidationError: a new value is not allowed.
        """
        return type(self).model_validate({**dict(self), **changes})
