"""Convert the TensorFlow operations in a Keras 2 model's graph into operations of Keras 3.

Keras 2 stores `x / 127.5` as a `TFOpLambda` layer with the function `math.truediv`, and `x[..., ::-1]` as a `SlicingOpLambda` layer.
Every `preprocess_input` inside a model and the hard swish of MobileNetV3 are made of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from itertools import accumulate
from types import MappingProxyType
from typing import Any, NamedTuple

from schemas.errors import ModelLoadFailed
from workers.engine.keras_internals import OPERATIONS_PACKAGE

OPERATION_LAYERS = frozenset({"TFOpLambda", "SlicingOpLambda"})
_SUM = "math.add_n"  # Keras 3 has no operation that adds many tensors, but its layer `Add` does
_CONSTANT = "_CONSTANT_VALUE"
_NUMPY, _NN, _IMAGE, _CORE, _MATH = (f"{OPERATIONS_PACKAGE}.{module}" for module in ("numpy", "nn", "image", "core", "math"))


class _Operation(NamedTuple):
    """The class of a Keras 3 operation, the TensorFlow names of its further tensors, and its settings.

    `settings` holds, by TensorFlow's name, Keras's name and the value where the file has none. `values` holds, by TensorFlow's name, a
    function that turns TensorFlow's value into Keras's.
    """

    module: str
    class_name: str
    tensors: tuple[str, ...] = ()
    settings: Mapping[str, tuple[str, Any]] = MappingProxyType({})
    values: Mapping[str, Callable[[Any], Any]] = MappingProxyType({})


def _sections(sizes: int | list[int]) -> int | list[int]:
    """Return Keras's argument for `tf.split`: a number of equal parts, or the ends of all parts but the last."""
    return sizes if isinstance(sizes, int) else list(accumulate(sizes))[:-1]


def _reduction(class_name: str) -> _Operation:
    return _Operation(_NUMPY, class_name, settings={"axis": ("axis", None), "keepdims": ("keepdims", False)})


_OPERATIONS: Mapping[str, _Operation] = {
    **dict.fromkeys(("math.add", "__operators__.add"), _Operation(_NUMPY, "Add", ("y",))),
    **dict.fromkeys(("math.subtract", "__operators__.sub"), _Operation(_NUMPY, "Subtract", ("y",))),
    **dict.fromkeys(("math.multiply", "__operators__.mul"), _Operation(_NUMPY, "Multiply", ("y",))),
    **dict.fromkeys(("math.truediv", "math.divide", "__operators__.truediv"), _Operation(_NUMPY, "TrueDivide", ("y",))),
    "math.pow": _Operation(_NUMPY, "Power", ("y",)),
    "math.maximum": _Operation(_NUMPY, "Maximum", ("y",)),
    "math.minimum": _Operation(_NUMPY, "Minimum", ("y",)),
    "nn.bias_add": _Operation(_NUMPY, "Add", ("bias",)),
    "linalg.matmul": _Operation(_NUMPY, "Matmul", ("b",)),
    "math.negative": _Operation(_NUMPY, "Negative"),
    "math.abs": _Operation(_NUMPY, "Abs"),
    "math.exp": _Operation(_NUMPY, "Exp"),
    "math.log": _Operation(_NUMPY, "Log"),
    "math.sqrt": _Operation(_NUMPY, "Sqrt"),
    "math.rsqrt": _Operation(_MATH, "Rsqrt"),
    "math.square": _Operation(_NUMPY, "Square"),
    "math.reciprocal": _Operation(_NUMPY, "Reciprocal"),
    "math.log1p": _Operation(_NUMPY, "Log1p"),
    "math.expm1": _Operation(_NUMPY, "Expm1"),
    "math.floor": _Operation(_NUMPY, "Floor"),
    "math.ceil": _Operation(_NUMPY, "Ceil"),
    "math.sign": _Operation(_NUMPY, "Sign"),
    "math.sin": _Operation(_NUMPY, "Sin"),
    "math.cos": _Operation(_NUMPY, "Cos"),
    "math.erf": _Operation(_MATH, "Erf"),
    "math.tanh": _Operation(_NUMPY, "Tanh"),
    "math.sigmoid": _Operation(_NN, "Sigmoid"),
    "nn.relu": _Operation(_NN, "Relu"),
    "nn.relu6": _Operation(_NN, "Relu6"),
    "nn.silu": _Operation(_NN, "Silu"),
    "nn.elu": _Operation(_NN, "Elu"),
    "nn.selu": _Operation(_NN, "Selu"),
    "math.softplus": _Operation(_NN, "Softplus"),
    "nn.softsign": _Operation(_NN, "Softsign"),
    "nn.softmax": _Operation(_NN, "Softmax", settings={"axis": ("axis", -1)}),
    "nn.leaky_relu": _Operation(_NN, "LeakyRelu", settings={"alpha": ("negative_slope", 0.2)}),
    "nn.gelu": _Operation(_NN, "Gelu", settings={"approximate": ("approximate", False)}),
    "math.reduce_mean": _reduction("Mean"),
    "math.reduce_max": _reduction("Max"),
    "math.reduce_min": _reduction("Min"),
    "math.reduce_sum": _reduction("Sum"),
    "math.reduce_prod": _reduction("Prod"),
    "math.reduce_std": _reduction("Std"),
    "math.reduce_variance": _reduction("Var"),
    "nn.log_softmax": _Operation(_NN, "LogSoftmax", settings={"axis": ("axis", -1)}),
    # TensorFlow divides by the root of max(sum of squares, ε), Keras by max(norm, ε).
    "math.l2_normalize": _Operation(
        _NN, "Normalize", settings={"axis": ("axis", None), "epsilon": ("epsilon", 1e-12)}, values={"epsilon": math.sqrt}
    ),
    "split": _Operation(
        _NUMPY,
        "Split",
        settings={"num_or_size_splits": ("indices_or_sections", None), "axis": ("axis", 0)},
        values={"num_or_size_splits": _sections},
    ),
    "unstack": _Operation(_CORE, "Unstack", settings={"num": ("num", None), "axis": ("axis", 0)}),
    "tile": _Operation(_NUMPY, "Tile", settings={"multiples": ("repeats", None)}),
    "repeat": _Operation(_NUMPY, "Repeat", settings={"repeats": ("repeats", None), "axis": ("axis", None)}),
    "compat.v1.pad": _Operation(
        _NUMPY,
        "Pad",
        ("constant_values",),
        settings={"paddings": ("pad_width", None), "mode": ("mode", "CONSTANT")},
        values={"mode": str.lower},
    ),
    "image.rgb_to_grayscale": _Operation(_IMAGE, "RGBToGrayscale"),
    "stack": _Operation(_NUMPY, "Stack", settings={"axis": ("axis", 0)}),
    "concat": _Operation(_NUMPY, "Concatenate", settings={"axis": ("axis", 0)}),
    "reshape": _Operation(_NUMPY, "Reshape", settings={"shape": ("newshape", None)}),
    "expand_dims": _Operation(_NUMPY, "ExpandDims", settings={"axis": ("axis", -1)}),
    "compat.v1.transpose": _Operation(_NUMPY, "Transpose", settings={"perm": ("axes", None)}),
    "compat.v1.squeeze": _Operation(_NUMPY, "Squeeze", settings={"axis": ("axis", None)}),
    "reverse": _Operation(_NUMPY, "Flip", settings={"axis": ("axis", None)}),
    "clip_by_value": _Operation(_NUMPY, "Clip", settings={"clip_value_min": ("x_min", None), "clip_value_max": ("x_max", None)}),
    "cast": _Operation(_CORE, "Cast", settings={"dtype": ("dtype", "float32")}),
    "image.resize": _Operation(
        _IMAGE,
        "Resize",
        settings={"size": ("size", None), "method": ("interpolation", "bilinear"), "antialias": ("antialias", False)},
    ),
}
# These arguments say what is so in every case.
_IGNORED = {"data_format": "NHWC"}
_RESIZING = frozenset({"bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5"})


def convert_operation(entry: Mapping[str, Any], file_name: str) -> dict[str, Any]:
    """Return the entry of a `TFOpLambda` or `SlicingOpLambda` layer as the entry of a Keras 3 operation of the same name.

    Example: the function `math.truediv` with y = 127.5 becomes `TrueDivide` with the arguments (x, 127.5).

    Raises:
        ModelLoadFailed: the function, or a setting of it, has no known counterpart; the error names it and says how to save the model.
    """
    function, nodes = entry["config"].get("function"), entry["inbound_nodes"]
    if len(nodes) != 1:
        raise _refused(file_name, entry, f"is called {len(nodes)} times")
    first, given = _arguments(nodes[0])
    if function == "__operators__.getitem":
        return _entry(entry, _Operation(_NUMPY, "GetItem"), {}, [first, [_slice(part) for part in given["slice_spec"]]])
    if function == _SUM:
        return {"class_name": "Add", "config": {"name": entry["name"]}, "name": entry["name"], "inbound_nodes": nodes}
    operation = _OPERATIONS.get(str(function))
    if operation is None:
        raise _refused(file_name, entry, "has no known counterpart in Keras 3")
    tensors = [_value(given[name]) for name in operation.tensors]
    settings = {
        name: operation.values.get(theirs, _unchanged)(given.get(theirs, default)) for theirs, (name, default) in operation.settings.items()
    }
    if "interpolation" in settings and settings["interpolation"] not in _RESIZING:
        raise _refused(file_name, entry, f"has method = {settings['interpolation']}, which Keras 3 does not have")
    known = {"name", *operation.tensors, *operation.settings}
    for name, value in given.items():
        if name not in known and value not in (None, False, _IGNORED.get(name)):
            raise _refused(file_name, entry, f"has {name} = {value}, which its counterpart in Keras 3 does not have")
    return _entry(entry, operation, settings, [first, *tensors])


def _entry(entry: Mapping[str, Any], operation: _Operation, settings: dict[str, Any], args: list[Any]) -> dict[str, Any]:
    return {
        "module": operation.module,
        "class_name": operation.class_name,
        "config": {"name": entry["name"], **settings},
        "registered_name": operation.class_name,
        "name": entry["name"],
        "inbound_nodes": [{"args": args, "kwargs": {}}],
    }


def _arguments(node: list[Any]) -> tuple[Any, dict[str, Any]]:
    """Return the first argument of a call in Keras 3's form, and the other arguments by name as Keras 2 stored them."""
    if isinstance(node[0], list):
        return [_value(part[:3]) for part in node], node[0][3]
    return _value(node[2]) if node[0] == _CONSTANT else convert_tensor(node), node[3]


def _value(value: Any) -> Any:
    """Return a tensor of the graph, an array or a number in Keras 3's form."""
    if not isinstance(value, list):
        return value
    if value and value[0] == _CONSTANT:
        return _value(value[2])
    if len(value) >= 3 and isinstance(value[0], str):
        return convert_tensor(value)
    return {"class_name": "__numpy__", "config": {"value": value, "dtype": "float32"}}


def convert_tensor(reference: list[Any]) -> dict[str, Any]:
    """Return a reference to an output of a layer, `[name, call, output]`, in Keras 3's form."""
    # The shape stands for none: Keras replaces this tensor by the output that `keras_history` names.
    return {"class_name": "__keras_tensor__", "config": {"shape": [None], "dtype": "float32", "keras_history": reference[:3]}}


def _unchanged(value: Any) -> Any:
    return value


def _slice(part: Any) -> Any:
    if isinstance(part, Mapping) and part.get("class_name") == "__ellipsis__":
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(part, Mapping):
        return {"class_name": "__slice__", "config": {name: part.get(name) for name in ("start", "stop", "step")}}
    return part


def _refused(file_name: str, entry: Mapping[str, Any], why: str) -> ModelLoadFailed:
    return ModelLoadFailed(
        f"'{file_name}': the operation '{entry['config'].get('function')}' of the Keras 2 layer '{entry['name']}' {why}. "
        "Build the model again in Keras 3 with `keras.ops` or a Keras layer in its place, load the weights of this file into it with "
        "`model.load_weights`, and save it as a .keras file."
    )
