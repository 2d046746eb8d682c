"""Convert the arithmetic with `tf.shape` in a Keras 2 model's graph.

`tf.reshape(x, (tf.shape(x)[0], tf.shape(x)[1] * tf.shape(x)[2], 4))` is stored as five layers: the shape, its items, their product, and
the reshape. The layers that compute with sizes are taken out, and what they compute becomes an argument of the layer that uses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from schemas.errors import ModelLoadFailed
from workers.engine.sized_operation import ARITHMETIC
from workers.models.conversion.keras2_operations import convert_tensor

REGISTERED_NAME = "convscope>SizedOperation"
_SHAPE_FUNCTIONS = ("shape", "compat.v1.shape")
_ARITHMETIC = {
    **{f"math.{name}": name for name in ARITHMETIC},
    "__operators__.add": "add",
    "__operators__.sub": "subtract",
    "__operators__.mul": "multiply",
    "__operators__.floordiv": "floordiv",
}
# The argument with the sizes, by TensorFlow's function, and the function of `SizedOperation`.
_SIZED = {"reshape": ("shape", "reshape"), "image.resize": ("size", "resize"), "broadcast_to": ("shape", "broadcast_to")}
_CONSTANT = "_CONSTANT_VALUE"
_OPERATION_CLASSES = ("TFOpLambda", "SlicingOpLambda")


class _NoSizes(Exception):
    """A layer's value is not made of sizes."""


def with_sizes_from_shapes(config: Mapping[str, Any], file_name: str) -> dict[str, Any]:
    """Return the configuration of a Functional model of Keras 2 with `SizedOperation` entries in place of arithmetic with shapes."""
    layers = {layer["name"]: layer for layer in config["layers"] if layer.get("name")}
    reader = _SizeReader(layers)
    if not any(_function(layer) in _SHAPE_FUNCTIONS for layer in layers.values()):
        return dict(config)
    kept: list[Any] = []
    for layer in config["layers"]:
        name = layer.get("name")
        if reader.is_sizes(name):
            # Other layers may read the sizes as numbers, for example to divide by h · w.
            if _is_read_as_a_number(name, config, reader):
                kept.append(_entry(layer, {"function": "value"}, reader.tree(name), []))
        elif _function(layer) in _SIZED and reader.reads_sizes(layer):
            kept.append(_sized_entry(layer, reader, file_name))
        else:
            kept.append(layer)
    return {**config, "layers": kept}


class _SizeReader:
    """Finds which layers compute sizes, and what they compute. A tree holds the name of a layer in place of a tensor's number."""

    def __init__(self, layers: Mapping[str, Any]) -> None:
        self._layers, self._trees = layers, dict[str, Any]()

    def is_sizes(self, name: Any) -> bool:
        try:
            self.tree(name)
        except _NoSizes:
            return False
        return True

    def tree(self, name: Any) -> Any:
        """Return the tree of the layer's value. Raise `_NoSizes` if the value is not made of sizes alone."""
        if name not in self._trees:
            self._trees[name] = None  # a layer that reads itself is made of no sizes
            layer = self._layers.get(name)
            self._trees[name] = self._read(layer) if layer is not None and _function(layer) else None
        if self._trees[name] is None:
            raise _NoSizes
        return self._trees[name]

    def reads_sizes(self, layer: Mapping[str, Any]) -> bool:
        """Return whether the sizes of this layer are given by other layers."""
        given = layer["inbound_nodes"][0][3].get(_SIZED[str(_function(layer))][0])
        try:
            tree = self.value(given)
        except _NoSizes:
            return False
        return bool(sources_in(tree))

    def value(self, value: Any) -> Any:
        """Return the tree of an argument: a reference to a layer, a constant, or a list of them."""
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if not isinstance(value, list) or not value:
            raise _NoSizes
        if value[0] == _CONSTANT:
            return self.value(value[2])
        if isinstance(value[0], str):
            return self.tree(value[0])
        return [self.value(item) for item in value]

    def _read(self, layer: Mapping[str, Any]) -> Any:
        """Return the tree of a TensorFlow function, or None if it does not compute sizes."""
        function, nodes = _function(layer), layer["inbound_nodes"]
        if len(nodes) != 1:
            return None
        try:
            if isinstance(nodes[0][0], list):
                return self._of_several(function, nodes[0])
            return {"shape": nodes[0][:3]} if function in _SHAPE_FUNCTIONS else self._of_one(function, nodes[0])
        except (_NoSizes, KeyError, TypeError):
            return None

    def _of_several(self, function: str, node: list[Any]) -> Any:
        parts = [self.value(part[:3] if isinstance(part[0], str) else part) for part in node]
        return {"stack": parts, "concat": {"join": parts}}.get(function)

    def _of_one(self, function: str, node: list[Any]) -> Any:
        first, given = self.value(node[:3]), node[3]
        if function == "__operators__.getitem":
            return _item(first, given["slice_spec"])
        if function in _ARITHMETIC:
            return {_ARITHMETIC[function]: [first, self.value(given["y"])]}
        if function == "math.reduce_prod":
            return {"product": first}
        return first if function == "cast" and given.get("dtype") in ("int32", "int64") else None


def sources_in(tree: Any) -> list[list[Any]]:
    """Return the references to the tensors whose shapes a tree reads, each once."""
    if isinstance(tree, Mapping):
        if "shape" in tree:
            return [tree["shape"]]
        tree = list(tree.values())
    found: list[list[Any]] = []
    for part in tree if isinstance(tree, list) else []:
        found += [source for source in sources_in(part) if source not in found]
    return found


def _item(sizes: Any, spec: Any) -> Any:
    part = spec[0] if isinstance(spec, list) and len(spec) == 1 else spec
    if isinstance(part, int):
        return {"item": sizes, "at": part}
    if isinstance(part, Mapping) and {"start", "stop", "step"} <= set(part):
        return {"item": sizes, "at": [part["start"], part["stop"], part["step"]]}
    return None


def _sized_entry(layer: Mapping[str, Any], reader: _SizeReader, file_name: str) -> dict[str, Any]:
    argument, function = _SIZED[str(_function(layer))]
    node = layer["inbound_nodes"][0]
    settings = {"function": function}
    for name, value in node[3].items():
        if name == "method" and function == "resize":
            settings["interpolation"] = value
        elif name not in (argument, "name") and value not in (None, False):
            raise ModelLoadFailed(f"'{file_name}': the Keras 2 layer '{layer['name']}' has {name} = {value} beside sizes from `tf.shape`.")
    return _entry(layer, settings, reader.value(node[3][argument]), [node[:3]])


def _entry(layer: Mapping[str, Any], settings: Mapping[str, Any], tree: Any, first: list[Any]) -> dict[str, Any]:
    sources = sources_in(tree)
    return {
        "module": None,
        "class_name": "SizedOperation",
        "registered_name": REGISTERED_NAME,
        "config": {"name": layer["name"], "sizes": _numbered(tree, sources), **settings},
        "name": layer["name"],
        "inbound_nodes": [{"args": [convert_tensor(reference) for reference in (*first, *sources)], "kwargs": {}}],
    }


def _numbered(tree: Any, sources: list[list[Any]]) -> Any:
    if isinstance(tree, list):
        return [_numbered(part, sources) for part in tree]
    if not isinstance(tree, Mapping):
        return tree
    return {key: sources.index(part) if key == "shape" else part if key == "at" else _numbered(part, sources) for key, part in tree.items()}


def _is_read_as_a_number(name: Any, config: Mapping[str, Any], reader: _SizeReader) -> bool:
    """Return whether a layer that computes no sizes, and does not take them as its sizes, reads this layer; or the model returns it."""
    for layer in config["layers"]:
        if reader.is_sizes(layer.get("name")):
            continue
        nodes = layer.get("inbound_nodes", [])
        if _function(layer) in _SIZED and reader.reads_sizes(layer):
            nodes = [node[:3] for node in nodes]
        if _names(nodes, name):
            return True
    return _names(config.get("output_layers"), name)


def _names(value: Any, name: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_names(item, name) for item in value.values())
    if not isinstance(value, list):
        return False
    return (len(value) >= 3 and value[0] == name) or any(_names(item, name) for item in value)


def _function(layer: Mapping[str, Any]) -> Any:
    return layer["config"].get("function") if layer.get("class_name") in _OPERATION_CLASSES else None
