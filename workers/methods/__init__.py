"""The registry of methods on the worker's side.

The method whose parameters are in `schemas.methods.<family>.<name>` is carried out by the module `workers.methods.<family>.<name>`.
`workers.contract.method` says which functions that module has.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Any

from schemas.methods import METHODS, params_class
from schemas.methods.base import MethodParams
from schemas.methods.card import Lane
from schemas.methods.target_class import TargetClassParams
from workers.contract.method import Implementation
from workers.methods.explained_target import explaining_targets

_LANE_OF_OPTIONAL: Mapping[str, Lane] = {"batch_key": "fast", "reusable": "slow"}


def module_of(method: str) -> str:
    """Return the name of the module that carries out `method`.

    Raises:
        UnknownMethod: There is no such method.
    """
    return params_class(method).__module__.replace("schemas.methods.", f"{__name__}.", 1)


@cache
def implementation(method: str) -> Implementation:
    """Return the functions of `method`.

    Raises:
        UnknownMethod: There is no such method. The error names similar ones.
        RuntimeError: The method has no module, or the module does not follow `workers.contract.method`.
    """
    parameters = params_class(method)
    card, name = parameters.card, module_of(method)
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise RuntimeError(f"method '{method}' has parameters in {parameters.__module__}, but there is no module {name}") from None
    run = _function(module, "run") if card.needs_model else _run_without_model
    draw = _function(module, "draw")
    if inspect.isgeneratorfunction(inspect.unwrap(run)) != (card.lane == "slow"):
        raise RuntimeError(f"{name}.run must be a generator in the slow lane and none in the fast lane, and its lane is '{card.lane}'")
    for optional, lane in _LANE_OF_OPTIONAL.items():
        if hasattr(module, optional) and card.lane != lane:
            raise RuntimeError(f"{name}.{optional} would never be called: only the {lane} lane uses it, and this is a {card.lane} method")
    batch_key, reusable = getattr(module, "batch_key", _equal_parameters), getattr(module, "reusable", _nothing_reusable)
    found = Implementation(method, card.lane, run, draw, batch_key, reusable)
    return explaining_targets(found) if issubclass(parameters, TargetClassParams) else found


def implementations() -> Mapping[str, Implementation]:
    """Return the functions of all methods, by method. A worker calls this when it starts, so that no worker lacks a method.

    Raises:
        RuntimeError: A method has no module, or its module does not follow `workers.contract.method`.
    """
    return MappingProxyType({method: implementation(method) for method in METHODS})


def _function(module: ModuleType, name: str) -> Callable[..., Any]:
    function = getattr(module, name, None)
    if not callable(function):
        raise RuntimeError(f"{module.__name__} has no function '{name}', which every method needs")
    return function


def _run_without_model(probe: Any, inputs: Any, params: Sequence[Any]) -> list[None]:
    return [None] * len(params)


def _nothing_reusable(params: Any) -> None:
    del params


def _equal_parameters(params: MethodParams) -> Hashable:
    return params.model_dump_json()  # parameters with a dictionary, such as the options of `faithfulness`, cannot be hashed
