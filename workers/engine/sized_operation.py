"""An operation whose sizes are computed from the shapes of tensors, such as TensorFlow's `tf.reshape(x, (tf.shape(x)[0], h * w, 4))`.

Keras 3 has no operation that reads a shape, because its shapes are plain numbers while a graph is built. So the arithmetic is kept as a
tree of plain values, and it is computed from the shapes where the operation is called.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import keras

Sizes = Any
"""A size: an int, a scalar tensor, or None where it is not known; or a list of sizes."""
_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {
        "add": lambda a, b: a + b,
        "subtract": lambda a, b: a - b,
        "multiply": lambda a, b: a * b,
        "floordiv": lambda a, b: a // b,
        "maximum": lambda a, b: max(a, b) if isinstance(a, int) and isinstance(b, int) else keras.ops.maximum(a, b),
        "minimum": lambda a, b: min(a, b) if isinstance(a, int) and isinstance(b, int) else keras.ops.minimum(a, b),
    }
)
FUNCTIONS = ("reshape", "resize", "broadcast_to", "value")
ARITHMETIC = frozenset(_ARITHMETIC)


def computed_sizes(tree: Any, shapes: Sequence[Any]) -> Sizes:
    """Return the sizes that a tree stands for; `shapes` are the shapes of the tensors that it reads.

    A tree is an int, a list of trees, `{"shape": number of the tensor}`, `{"item": tree, "at": index or [start, stop, step]}`,
    `{"join": list of trees that are lists}`, `{"product": tree}`, or the name of an arithmetic function with two trees, for example
    `{"multiply": [{"item": {"shape": 0}, "at": 1}, 2]}`.
    """
    if isinstance(tree, (list, tuple)):
        return [computed_sizes(part, shapes) for part in tree]
    if not isinstance(tree, Mapping):
        return tree
    if "shape" in tree:
        return list(shapes[tree["shape"]])
    (name,) = set(tree) - {"at"}
    parts = computed_sizes(tree[name], shapes)
    return _COMBINED[name](parts, tree.get("at"))


def _item(sizes: Sizes, at: Any) -> Sizes:
    return sizes[slice(*at) if isinstance(at, (list, tuple)) else at]


def _joined(lists: Sizes, _: Any) -> Sizes:
    return [size for part in lists for size in part]


def _product(sizes: Sizes, _: Any) -> Sizes:
    return None if any(size is None for size in sizes) else math.prod(sizes)


def _combined(name: str, a: Sizes, b: Sizes) -> Sizes:
    """Return the arithmetic of two sizes, or of each size of a list."""
    if isinstance(a, list) or isinstance(b, list):
        pairs = zip(a if isinstance(a, list) else [a] * len(b), b if isinstance(b, list) else [b] * len(a), strict=True)
        return [_combined(name, *pair) for pair in pairs]
    return None if a is None or b is None else _ARITHMETIC[name](a, b)


def _arithmetic(name: str, pair: Sizes, _: Any) -> Sizes:
    return _combined(name, *pair)


_COMBINED: Mapping[str, Callable[[Any, Any], Any]] = MappingProxyType(
    {"item": _item, "join": _joined, "product": _product, **{name: partial(_arithmetic, name) for name in _ARITHMETIC}}
)


class SizedOperation(keras.Operation):
    """`function` of the first tensor, with sizes computed from the shapes of the other tensors.

    Args:
        function: `reshape`, `resize` and `broadcast_to` change the first tensor. `value` gives the sizes themselves as a float32 tensor;
            all its tensors are read for their shapes.
        sizes: the tree of `computed_sizes`.
        interpolation: that of `resize`.
    """

    def __init__(self, function: str, sizes: Any, interpolation: str = "bilinear", name: str | None = None) -> None:
        super().__init__(name=name)
        if function not in FUNCTIONS:
            raise ValueError(f"The function must be one of {', '.join(FUNCTIONS)}; got {function!r}.")
        self.function, self.sizes, self.interpolation = function, sizes, interpolation

    def call(self, *tensors: Any) -> Any:
        changed, read = tensors[:1], tensors[1:]
        if self.function == "value":
            value = computed_sizes(self.sizes, [keras.ops.shape(x) for x in tensors])
            return keras.ops.cast(keras.ops.stack(value) if isinstance(value, list) else value, "float32")
        sizes = computed_sizes(self.sizes, [keras.ops.shape(x) for x in read])
        if self.function == "reshape":
            return keras.ops.reshape(changed[0], sizes)
        if self.function == "broadcast_to":
            return keras.ops.broadcast_to(changed[0], sizes)
        return keras.ops.image.resize(changed[0], tuple(sizes), interpolation=self.interpolation, data_format="channels_last")

    def compute_output_spec(self, *tensors: Any) -> Any:
        if self.function == "value":
            sizes = computed_sizes(self.sizes, [x.shape for x in tensors])
            return keras.KerasTensor((len(sizes),) if isinstance(sizes, list) else (), "float32")
        x = tensors[0]
        sizes = computed_sizes(self.sizes, [each.shape for each in tensors[1:]])
        if self.function == "resize":
            return keras.KerasTensor((*x.shape[:-3], *sizes, x.shape[-1]), x.dtype)
        if self.function == "broadcast_to":
            return keras.KerasTensor(tuple(sizes), x.dtype)
        return keras.KerasTensor(_reshaped(tuple(x.shape), tuple(sizes)), x.dtype)

    def get_config(self) -> dict[str, Any]:
        return {"function": self.function, "sizes": self.sizes, "interpolation": self.interpolation, "name": self.name}


def _reshaped(shape: tuple[int | None, ...], sizes: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """Return the sizes with that of -1, or of the one unknown size, computed where the sizes of the tensor are known.

    The batch axis, whose size is unknown, must stay the first axis; then the sizes after it decide.
    """
    if len(sizes) > 1 and sizes[0] is None and shape[0] is None and None not in shape[1:]:
        return None, *_reshaped(shape[1:], sizes[1:])
    open_ = [index for index, size in enumerate(sizes) if size in (None, -1)]
    if len(open_) != 1 or None in shape:
        return tuple(None if size == -1 else size for size in sizes)
    rest = math.prod(size for size in sizes if size not in (None, -1))
    return tuple(math.prod(shape) // rest if index == open_[0] else size for index, size in enumerate(sizes))  # type: ignore[arg-type]
