"""Find the kind of a Keras layer or operation."""

from __future__ import annotations

from typing import Any

import keras

from schemas.models import LayerKind
from workers.engine.keras_internals import CustomScaleLayer, source_package

# Keras keeps the layers of one kind in one package (`keras/src/layers/pooling/…`), and its operations too.
_PACKAGES = {
    "layers.convolutional": LayerKind.CONV,
    "layers.activations": LayerKind.ACTIVATION,
    "layers.normalization": LayerKind.NORMALIZATION,
    "layers.pooling": LayerKind.POOLING,
    "layers.merging": LayerKind.MERGE,
    "layers.reshaping": LayerKind.RESHAPE,
    "layers.regularization": LayerKind.REGULARIZATION,
    "layers.preprocessing": LayerKind.PREPROCESSING,
    "layers.rnn": LayerKind.RECURRENT,
    "layers.attention": LayerKind.ATTENTION,
}
_CLASSES = (
    (keras.layers.InputLayer, LayerKind.INPUT),
    (keras.layers.Dense, LayerKind.DENSE),
    (keras.layers.EinsumDense, LayerKind.DENSE),
    (keras.Model, LayerKind.MODEL),
    (CustomScaleLayer, LayerKind.MERGE),  # InceptionResNetV2 computes x + scale · residual with it
)
_MERGING_OPERATIONS = frozenset({"Add", "Subtract", "Multiply", "Maximum", "Minimum", "Concatenate", "Stack", "Dot", "Matmul", "Einsum"})
_RESHAPING_OPERATIONS = frozenset(
    {"Reshape", "Transpose", "Squeeze", "ExpandDims", "Pad", "GetItem", "BroadcastTo", "Tile", "Flip", "Ravel"}
)


def kind_of(layer: Any) -> LayerKind:
    """Return the kind of a Keras layer or operation. A subclass has the kind of its nearest ancestor in Keras."""
    for parent, kind in _CLASSES:
        if isinstance(layer, parent):
            return kind
    for parent in type(layer).__mro__:
        module = source_package(parent)
        package = module.rpartition(".")[0]
        if package in _PACKAGES:
            return _PACKAGES[package]
        if module == "ops.nn":
            return _kind_of_nn_operation(parent.__name__)
        if module == "ops.numpy":
            if parent.__name__ in _MERGING_OPERATIONS:
                return LayerKind.MERGE
            return LayerKind.RESHAPE if parent.__name__ in _RESHAPING_OPERATIONS else LayerKind.OTHER
    return LayerKind.OTHER


def _kind_of_nn_operation(name: str) -> LayerKind:
    if "Conv" in name:
        return LayerKind.CONV
    if "Pool" in name:
        return LayerKind.POOLING
    if "Norm" in name:
        return LayerKind.NORMALIZATION
    return LayerKind.ATTENTION if "Attention" in name else LayerKind.ACTIVATION
