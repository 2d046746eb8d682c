"""The parts of Keras that are not its public interface, for the engine and for the loading of models.

No other module imports `keras.src` or reads an attribute that Keras calls private. `tests/workers/engine/test_keras_internals.py`
tries every entry and fails with its name when a new version of Keras moves or changes it. `pyproject.toml` sets the upper bound.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import h5py
import keras

try:
    from keras.src.applications.convnext import LayerScale, StochasticDepth
    from keras.src.applications.inception_resnet_v2 import CustomScaleLayer
    from keras.src.backend.common import global_state
    from keras.src.initializers.random_initializers import RandomInitializer
    from keras.src.layers.convolutional.base_conv import BaseConv
    from keras.src.layers.convolutional.base_conv_transpose import BaseConvTranspose
    from keras.src.layers.convolutional.base_depthwise_conv import BaseDepthwiseConv
    from keras.src.layers.convolutional.base_separable_conv import BaseSeparableConv
    from keras.src.legacy.saving import legacy_h5_format, saving_options, saving_utils
    from keras.src.models import functional as functional_module
    from keras.src.models.functional import Functional
    from keras.src.ops import core, image, linalg, math, nn, numpy
    from keras.src.ops.core import Cast
    from keras.src.ops.nn import Relu, Relu6, Sigmoid, Softmax
    from keras.src.saving import saving_lib, serialization_lib
    from keras.src.saving.keras_saveable import KerasSaveable
except ImportError as error:
    raise ImportError(f"Keras {keras.__version__} has moved an internal class that convscope needs: {error}") from error

# Classes of Keras that other modules import from here.
__all__ = ["CustomScaleLayer", "Functional", "KerasSaveable", "RandomInitializer", "Relu", "Relu6", "Sigmoid", "Softmax"]

FUNCTIONAL_MODULE = functional_module
"""The module of the class `Functional`, by which model files name a Functional model."""

CastOperation = Cast
"""The operation that `keras.ops.cast` puts into a graph."""

CONVOLUTION_BASES = (BaseConv, BaseConvTranspose, BaseDepthwiseConv, BaseSeparableConv)
"""The base classes of all convolution layers. The last thing that each of them does is to call its `activation`."""

APPLICATION_LAYERS: Mapping[str, type] = {each.__name__: each for each in (CustomScaleLayer, LayerScale, StochasticDepth)}
"""The layers of `keras.applications` that are not among Keras's public layers. An HDF5 file names them by class alone."""

KERNEL_ATTRIBUTES: Mapping[type, str] = {
    keras.layers.Conv1D: "_kernel",
    keras.layers.Conv2D: "_kernel",
    keras.layers.Conv3D: "_kernel",
    keras.layers.Conv2DTranspose: "kernel",
    keras.layers.DepthwiseConv2D: "kernel",
    keras.layers.SeparableConv2D: "pointwise_kernel",
    keras.layers.Dense: "_kernel",
}
"""The instance attribute with the kernel of the output channels. Where it is `_kernel`, the public `kernel` is a read-only property."""
EINSUM_SCALE_METHOD = "_adjust_scale_for_dequant"
"""The method of `EinsumDense` that gives the scale of its int8 kernel the shape of the kernel."""
DTYPE_POLICY_ATTRIBUTE = "_dtype_policy"
"""The instance attribute behind the property `dtype_policy`, which a copy of a layer replaces."""

INNER_LAYERS_ATTRIBUTE = "_layers"
"""The instance attribute that lists the layers which a layer holds directly, such as the layer inside `TimeDistributed`."""

ATTENTION_SOFTMAX_ATTRIBUTE = "_softmax"
"""The instance attribute of attention layers with the softmax of their scores."""
FLASH_ATTENTION_ATTRIBUTE = "_flash_attention"
"""The instance attribute of attention layers that lets them use a kernel without probabilities."""
COMPUTE_ATTENTION = "_compute_attention"
ATTENTION_METHODS = ("call", COMPUTE_ATTENTION, "_masked_softmax")
"""A subclass of an attention layer that overrides one of these attends in a way of its own. The second gets query, key and value."""

VARIABLE_LIST_ATTRIBUTES = ("_trainable_variables", "_non_trainable_variables")
"""The instance attributes that list a layer's own variables."""

KERAS_FOLDER_VARIABLE = "keras.src.backend.config._KERAS_DIR"
"""The variable that names the folder of downloaded weights. Tests point it at an empty folder."""

OPERATIONS_PACKAGE = "keras.src.ops"
"""The package of the modules that hold the classes of Keras's operations. A stored configuration names them by module."""

_SOURCE_PACKAGE = "keras.src."
_VALID_SCOPE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)


def producer_of(tensor: Any) -> Any:
    """Return the layer or operation whose output the symbolic tensor is."""
    return tensor._keras_history.operation


def functional_graph(operation: Any) -> Any | None:
    """Return the `Functional` model inside a Functional or Sequential model, or None for every other operation.

    A Sequential model keeps it in `_functional` once it is built. A subclass that overrides `call` computes something else than its
    graph, so None is returned for it too.
    """
    if isinstance(operation, keras.Sequential):
        return getattr(operation, "_functional", None) if type(operation).call is keras.Sequential.call else None
    return operation if isinstance(operation, Functional) and type(operation).call is Functional.call else None


def calls_in_order(model: Any) -> Iterator[Any]:
    """Yield the calls (nodes) of a Functional model's layers in the order in which Keras runs them.

    Keras lists them by depth, the deepest first (`Function._run_through_graph`); the nodes of the inputs are left out.
    """
    for depth in sorted(model._nodes_by_depth, reverse=True):
        for node in model._nodes_by_depth[depth]:
            if node.operation is not None and not node.is_input:
                yield node


def call_arguments(node: Any, tensors: Mapping[int, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the arguments of a call, with each symbolic tensor replaced by the entry of `tensors` for its id."""
    return node.arguments.fill_in(tensors)


def nested_model_inputs(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """Return what a nested model is called with, from the arguments of its call; `training` and `mask` are left out."""
    return args[0] if args else kwargs["inputs"]


def standardised_inputs(model: Any, inputs: Any) -> Any:
    """Return the inputs of a Functional model (a tensor, list or dict) as a flat list in the model's own order."""
    return model._standardize_inputs(inputs)


def inner_layers(layer: Any) -> list[Any]:
    """Return the layers that a layer holds directly."""
    return getattr(layer, INNER_LAYERS_ATTRIBUTE)


def operation_module(class_name: str) -> str | None:
    """Return the module of Keras's operation with this class name, such as `keras.src.ops.numpy` for `TrueDivide`, or None."""
    for module in (numpy, nn, image, core, math, linalg):
        found = vars(module).get(class_name)
        if isinstance(found, type) and found.__module__ == module.__name__ and issubclass(found, keras.Operation):
            return module.__name__
    return None


def use_valid_scope_names(model: Any) -> None:
    """Let every layer of a model whose name TensorFlow allows in no graph open a name scope called `layer` instead.

    Keras opens a TensorFlow scope with the layer's name around each call, and TensorFlow refuses names such as `_conv`, `my conv` or
    `größe` while it traces a function. The names of layers and variables stay, and so does everything that the layers compute.
    """
    name_scope: Any = keras.name_scope
    for layer in model._flatten_layers():
        if not _VALID_SCOPE_NAME.fullmatch(layer.name):
            vars(layer)["_open_name_scope"] = partial(name_scope, "layer")


def source_package(class_: type) -> str:
    """Return the module of a Keras class below `keras.src`, and "" for any other class.

    Keras keeps layers in one package for each kind: the module of `MaxPooling2D` is `layers.pooling.max_pooling2d`, and that
    of a neural-network operation is `ops.nn`.
    """
    module = class_.__module__
    return module.removeprefix(_SOURCE_PACKAGE) if module.startswith(_SOURCE_PACKAGE) else ""


@contextmanager
def declare_variables_only() -> Iterator[None]:
    """Give no value, and so no memory, to the variables that are created while the context is open.

    Keras lists such variables and draws all of them at the end of a later `StatelessScope`. This would take memory for models that
    were dropped, and it fails for variables that have a value by then. So this context takes its variables off the list.
    """
    listed = "uninitialized_variables"
    before = list(global_state.get_global_attribute(listed) or ())
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        global_state.set_global_attribute(listed, before)


def initializer_of(variable: Any) -> Any:
    """Return the initialiser of a variable that was created in `declare_variables_only`."""
    return variable._initializer


def draw_declared(variable: Any, initializer: Any) -> None:
    """Give a value, drawn by `initializer`, to a variable that was created in `declare_variables_only`."""
    variable._initializer = initializer
    variable._deferred_initialize()


def model_from_archive_config(config: dict[str, Any], custom_objects: Mapping[str, Any]) -> Any:
    """Build a model from the configuration of a `.keras` file; raise `ValueError` if it carries code."""
    with saving_lib.ObjectSharingScope(), keras.saving.custom_object_scope(dict(custom_objects)):
        return serialization_lib.deserialize_keras_object(config, safe_mode=True)


def load_archive_weights(file: h5py.File, model: Any) -> None:
    """Read the weights of `model` from an open file of the form that `model.weights.h5` has in a `.keras` file.

    Assets are not read. Only layers that look words up in a vocabulary have some, and no such layer is loaded.
    """
    failed: set[Any] = set()
    errors: dict[Any, Any] = {}
    saving_lib._load_state(
        model,
        weights_store=_OpenStore(file),
        assets_store=None,
        inner_path="",
        visited_saveables=set(),
        failed_saveables=failed,
        error_msgs=errors,
    )
    if failed:
        saving_lib._raise_loading_failure(errors)


class _OpenStore(saving_lib.H5IOStore):
    """The store of variables that Keras reads, over a file that is open already."""

    def __init__(self, file: h5py.File) -> None:
        self._file = file
        super().__init__(io.BytesIO())

    def _get_h5_file(self, path_or_io: Any, mode: str | None = None) -> h5py.File:
        return self._file


def model_from_hdf5_config(config: Any, custom_objects: Mapping[str, Any]) -> Any:
    """Build a model from the configuration of an HDF5 file; raise `ValueError` if it carries code. This empties parts of `config`."""
    with _hdf5_format():
        return saving_utils.model_from_config(config, custom_objects={**APPLICATION_LAYERS, **custom_objects})


def load_hdf5_weights(group: Any, model: Any) -> None:
    """Read the weights of `model` from the group `model_weights` of an HDF5 file."""
    with _hdf5_format():
        legacy_h5_format.load_weights_from_hdf5_group(group, model)


@contextmanager
def _hdf5_format() -> Iterator[None]:
    with saving_options.keras_option_scope(use_legacy_config=True), serialization_lib.SafeModeScope(True):
        yield
