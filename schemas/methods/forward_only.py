"""Check that a method suits a model which can only be run: an ONNX or TFLite file."""

from __future__ import annotations

from collections.abc import Collection

from schemas.errors import ForwardOnlyModel, InvalidParameters
from schemas.methods.base import MethodParams
from schemas.methods.precision import PrecisionParams
from schemas.models import ModelDescription


def check_forward_only(
    params: MethodParams, model: ModelDescription, *, pointer: str | None = None, among: Collection[str] | None = None
) -> None:
    """Check parameters, which need not be resolved, for a model. Nothing is checked if it is not forward-only.

    Args:
        params: the parameters of the method.
        model: the model that the method is asked for.
        pointer: the place of the method in the request, if it is not the request's own method.
        among: the names of the methods that are possible there. None stands for all methods.

    Raises:
        ForwardOnlyModel: the method needs layers or gradients; the error names the methods that work.
        InvalidParameters: the precision is not `float32`.
    """
    if not model.forward_only:
        return
    if not params.card.forward_only:
        raise needs_layers(model.name, params.card.name, pointer=pointer, among=among)
    if isinstance(params, PrecisionParams) and params.precision != "float32":
        raise InvalidParameters(
            f"Model '{model.name}' computes in the number format of its file, so precision can only be float32; got {params.precision}.",
            pointer="/params/precision",
            allowed="float32",
            got=params.precision,
        )


def needs_layers(model: str, method: str, *, pointer: str | None = None, among: Collection[str] | None = None) -> ForwardOnlyModel:
    """Return the error of a method that needs layers, for a model which can only be run. It names the methods that work with the model."""
    works = ", ".join(sorted(name for name in forward_only_methods() if among is None or name in among))
    return ForwardOnlyModel(
        f"Model '{model}' can be run, but its file gives no layers to look at and no gradients, and {method} needs them. "
        f"These methods work with it: {works}.",
        pointer=pointer,
        allowed=works,
        got=method,
    )


def forward_only_methods() -> tuple[str, ...]:
    """Return the names of the methods that work with models which can only be run."""
    from schemas.methods import METHODS  # noqa: PLC0415 - the registry imports modules that import this one

    return tuple(name for name, method in METHODS.items() if method.card.forward_only)
