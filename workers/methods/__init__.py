"""The registry of implementations: the method whose parameters are in `schemas.methods.<family>.<name>` is carried out by the module
`workers.methods.<family>.<name>`."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Any

from schemas.methods import METHODS, params_class
from schemas.methods.card import Lane
from workers.contract.artifacts import Output
from workers.contract.inputs import Photo
from workers.contract.progress import Reusable


@dataclass(frozen=True)
class Implementation:
    """A method's functions, as `workers.contract` describes them, and its lane.

    Fast lane: `run(probe, inputs, params: Sequence)` returns one result for each row of `inputs.tensor`.
    Slow lane: `run(probe, inputs, params)` is a generator of `Slice` that returns one result.
    """

    method: str
    lane: Lane
    run: Callable[..., Any]
    draw: Callable[[Any, Photo | None, Any], Output]
    batch_key: Callable[[Any], Hashable]
    reusable: Callable[[Any], Reusable | None]


def module_of(method: str) -> str:
    """Return the name of the module that carries out `method`; raise `UnknownMethod` if there is no such method."""
    return params_class(method).__module__.replace("schemas.methods.", f"{__name__}.", 1)


@cache
def implementation(method: str) -> Implementation:
    """The implementation of `method`.

    Raises:
        UnknownMethod: no such method, with the nearest names.
        RuntimeError: the method has no module here, or one that does not keep to `workers.contract`.
    """
    parameters = params_class(method)
    card, name = parameters.card, module_of(method)
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise RuntimeError(f"method '{method}' has parameters in {parameters.__module__} but there is no module {name}") from None
    run = _function(module, "run") if card.needs_model else _nothing_on_the_device
    draw = _function(module, "draw")
    if inspect.isgeneratorfunction(inspect.unwrap(run)) != (card.lane == "slow"):
        raise RuntimeError(f"{name}.run must be a generator in the slow lane and none in the fast lane; the lane is '{card.lane}'")
    optional = {"batch_key": _each_its_own, "reusable": _nothing_reusable}
    return Implementation(method, card.lane, run, draw, **{name: getattr(module, name, default) for name, default in optional.items()})


def implementations() -> Mapping[str, Implementation]:
    """All of them, by method; `RuntimeError` where one is missing. For start-up: a worker that lacks a method must not start."""
    return MappingProxyType({method: implementation(method) for method in METHODS})


def _function(module: ModuleType, name: str) -> Callable[..., Any]:
    function = getattr(module, name, None)
    if not callable(function):
        raise RuntimeError(f"{module.__name__} has no function '{name}'")
    return function


def _nothing_on_the_device(probe: Any, inputs: Any, params: Sequence[Any]) -> list[None]:
    return [None] * len(params)


def _nothing_reusable(params: Any) -> None:
    del params


def _each_its_own(params: Any) -> Hashable:
    return params
