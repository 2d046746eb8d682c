"""Open subclassed models: follow their `call` layer by layer, so that they become Functional models of the same layers.

Only classes that the operator has named get here; a model file does not contain the code of a class.
"""

from __future__ import annotations

import inspect
from typing import Any

import keras
import numpy as np

from schemas.errors import ModelLoadFailed
from workers.engine.keras_internals import Functional, call_arguments, calls_in_order, functional_graph, nested_model_inputs

# The relative difference between a model and its opened form, which computes the same in the same order.
_TOLERANCE = 1e-4
_FREE_SIZE = 64  # of an input that takes any size, where the two are compared
_ADVICE = (
    "Write its `call` with Keras layers and functions of `keras.ops` alone. Put every step that needs other functions, or that looks at "
    "values, into a layer of your own, and name that layer in CONVSCOPE_CUSTOM_OBJECTS, too."
)


class _CannotBeOpened(Exception):
    """The message says why a model's `call` cannot be followed."""


def with_open_models(model: Any, file_name: str) -> Any:
    """Return a Functional model of the same layers in which every subclassed model is opened, or `model` itself if it has none.

    A subclassed model inside another model that cannot be opened stays one layer.

    Raises:
        ModelLoadFailed: the model itself is subclassed and its `call` cannot be followed; the error says why and what to change.
    """
    try:
        return _Opener().opened(model)
    except _CannotBeOpened as error:
        raise ModelLoadFailed(
            f"'{file_name}' is a subclassed model of the class {type(model).__name__}, and its `call` cannot be followed layer by layer: "
            f"{error} {_ADVICE}"
        ) from error


class _Opener:
    """Opens the models inside a model. Each is opened once, so that a shared model stays shared."""

    def __init__(self) -> None:
        self._opened: dict[int, Any] = {}

    def opened(self, model: Any, shapes: Any = None) -> Any:
        """Return the opened model, or `model` itself if there is nothing to open. `shapes` are those that it is called with."""
        if id(model) not in self._opened:
            root = functional_graph(model)
            traced = _traced(model, shapes) if root is None else root
            inner = self._rebuilt(traced)
            self._opened[id(model)] = model if inner is root else inner
        return self._opened[id(model)]

    def _rebuilt(self, root: Any) -> Any:
        """Return a Functional model with opened models in place of those that it calls, or `root` itself if nothing is replaced."""
        nodes = list(calls_in_order(root))
        calls: dict[int, list[Any]] = {}
        for node in nodes:
            calls.setdefault(id(node.operation), []).append(node)
        opened = {key: self._opened_operation(called) for key, called in calls.items()}
        replaced = {key: new for key, new in opened.items() if new is not calls[key][0].operation}
        if not replaced:
            return root
        values = {id(tensor): tensor for tensor in root.inputs}
        for node in nodes:
            args, kwargs = call_arguments(node, values)
            outputs = replaced.get(id(node.operation), node.operation)(*args, **kwargs)
            values.update({id(old): new for old, new in zip(node.outputs, keras.tree.flatten(outputs), strict=True)})
        outputs = keras.tree.map_structure(lambda tensor: values[id(tensor)], root.output)
        return _functional(root.input, outputs, root)

    def _opened_operation(self, calls: list[Any]) -> Any:
        """Return what stands in place of an operation, or the operation itself. `calls` are the nodes that call it."""
        operation = calls[0].operation
        if not isinstance(operation, keras.Model):
            return operation
        if functional_graph(operation) is not None:
            return self.opened(operation)
        inputs = [nested_model_inputs(node.arguments.args, node.arguments.kwargs) for node in calls]
        try:
            return self.opened(operation, keras.tree.map_structure(_common_shape, *inputs))
        except (_CannotBeOpened, ValueError):  # ValueError: it is called with inputs of different structures
            return operation


def _common_shape(*tensors: Any) -> tuple[int | None, ...]:
    """Return the shape of the tensors, with None where they differ."""
    return tuple(sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*(tensor.shape for tensor in tensors), strict=True))


def _traced(model: Any, shapes: Any) -> Any:
    """Return a Functional model of the layers that a subclassed model calls.

    Raises:
        _CannotBeOpened: its input is not known, its `call` does not work on symbolic tensors, it computes something else for values than
            for symbolic tensors, or it uses weights that are in no layer.
    """
    shapes = model.get_build_config().get("input_shape") if shapes is None else shapes
    if shapes is None:
        raise _CannotBeOpened("The file does not say the shape of one input. Call the model with one argument before you save it.")
    inputs = keras.tree.map_shape_structure(lambda shape: keras.Input(batch_shape=(None, *shape[1:])), shapes)
    settings = {"training": False} if "training" in inspect.signature(model.call).parameters else {}
    try:
        outputs = model.call(inputs, **settings)
        traced = _functional(inputs, outputs, model)
    except Exception as error:  # the operator's code may raise anything
        cause = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        raise _CannotBeOpened(f"{type(error).__name__}: {cause[:300]}") from error
    missing = {id(weight): weight.path for weight in model.weights}
    for weight in traced.weights:
        missing.pop(id(weight), None)
    if missing:
        raise _CannotBeOpened(f"It uses weights that are in none of its layers: {', '.join(missing.values())}.")
    _check_same(model, traced)
    return traced


def _functional(inputs: Any, outputs: Any, source: Any) -> Any:
    built = Functional(inputs, outputs, name=source.name)
    built.opened_from = getattr(source, "opened_from", type(source))  # the operator's class is part of the model's provenance
    return built


def _check_same(model: Any, traced: Any) -> None:
    """Raise `_CannotBeOpened` if the two compute different values for a random input."""
    random = np.random.default_rng(0)
    shapes = keras.tree.map_structure(lambda tensor: (2, *(size or _FREE_SIZE for size in tensor.shape[1:])), traced.input)
    x = keras.tree.map_shape_structure(lambda shape: random.normal(size=shape).astype(np.float32), shapes)
    expected, got = (keras.tree.flatten(each(x, training=False)) for each in (model, traced))
    for one, other in zip(expected, got, strict=True):
        wanted, found = np.asarray(one, np.float64), np.asarray(other, np.float64)
        if not np.allclose(found, wanted, rtol=_TOLERANCE, atol=_TOLERANCE * float(abs(wanted).max(initial=0)), equal_nan=True):
            raise _CannotBeOpened("Its `call` computes something else for values than for symbolic tensors.")
