"""A Keras model as a torch module with the same weights. Every layer is a module of the layer's name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import torch
from torch import nn

from workers.engine.keras_internals import producer_of


class TorchTwin(nn.Module):
    """The torch twin of a Keras model whose layers are those of VGG, ResNet and MobileNet. It ends in the logits.

    Args:
        model: the Keras model (N, H, W, C).
        first: the layer whose output the twin's input replaces. If it is None, the twin takes images (N, C, H, W).
        last: the layer whose output the twin returns. If it is None, it is the model's last one.
    """

    def __init__(self, model: keras.Model, first: str | None = None, last: str | None = None) -> None:
        super().__init__()
        names = [layer.name for layer in model.layers]
        begin = 0 if first is None else names.index(first)
        end = len(names) - 1 if last is None else names.index(last)
        self._input = names[begin]
        self._steps: list[tuple[str, list[str]]] = []
        for layer in model.layers[begin + 1 : end + 1]:
            self.add_module(layer.name, _module(layer))
            self._steps.append((layer.name, [producer_of(tensor).name for tensor in keras.tree.flatten(layer.input)]))
        self.eval().requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        values = {self._input: x}
        for name, sources in self._steps:
            values[name] = x = getattr(self, name)(*(values[source] for source in sources))
        return x


class Sum(nn.Module):
    """The sum of two tensors."""

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        return a + b


class FlattenChannelsLast(nn.Module):
    """Flatten (N, C, H, W) in the order (H, W, C), as Keras does."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.permute(0, 2, 3, 1).flatten(1)


def _module(layer: keras.Layer) -> nn.Module:
    for classes, make in _MAKERS.items():
        if isinstance(layer, classes):
            return make(layer)
    raise ValueError(f"There is no torch module for the layer {layer.name} of the class {type(layer).__name__}.")


def _norm(layer: Any) -> nn.Module:
    norm = nn.BatchNorm2d(layer.gamma.shape[0], eps=layer.epsilon)
    names = ("weight", "bias", "running_mean", "running_var")
    norm.load_state_dict(dict(zip(names, _weights(layer), strict=True)), strict=False)
    return norm


def _dense(layer: Any) -> nn.Module:
    kernel, bias = _weights(layer)
    dense = nn.Linear(*layer.kernel.shape)
    dense.load_state_dict({"weight": kernel.T, "bias": bias})
    return dense if layer.activation is keras.activations.softmax else _with_activation(dense, layer)


def _relu(layer: Any) -> nn.Module:
    if isinstance(layer, keras.layers.Activation):
        assert layer.activation is keras.activations.relu, layer.activation
        return nn.ReLU()
    return nn.ReLU6() if layer.max_value == 6 else nn.ReLU()


def _padding(layer: Any) -> nn.Module:
    (top, bottom), (left, right) = layer.padding
    return nn.ZeroPad2d((left, right, top, bottom))


def _pooling(layer: Any) -> nn.Module:
    assert layer.padding == "valid", layer.padding
    return nn.MaxPool2d(layer.pool_size, layer.strides)


def _convolution(layer: Any) -> nn.Module:
    kernel, *bias = _weights(layer)
    height, width, inputs, outputs = kernel.shape
    before, after = _same_padding(layer) if layer.padding == "same" else (0, 0)
    symmetric, groups = before == after, 1
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        kernel, groups, outputs = kernel.permute(0, 1, 3, 2), inputs, inputs * outputs
    convolution = nn.Conv2d(inputs, outputs, (height, width), layer.strides, before if symmetric else 0, groups=groups, bias=bool(bias))
    convolution.load_state_dict({"weight": kernel.permute(3, 2, 0, 1)} | ({"bias": bias[0]} if bias else {}))
    if not symmetric:
        convolution = nn.Sequential(nn.ZeroPad2d((before, after, before, after)), convolution)
    return _with_activation(convolution, layer)


def _same_padding(layer: Any) -> tuple[int, int]:
    """Return how many zeros Keras puts before and after each row and column of a square input."""
    length, kernel, stride = layer.input.shape[1], layer.kernel.shape[0], layer.strides[0]
    total = kernel - stride if length is None or length % stride == 0 else kernel - length % stride
    total = max(total, 0)
    return total // 2, total - total // 2


def _with_activation(module: nn.Module, layer: Any) -> nn.Module:
    if layer.activation is keras.activations.linear:
        return module
    assert layer.activation is keras.activations.relu, layer.activation
    return nn.Sequential(module, nn.ReLU())


def _weights(layer: keras.Layer) -> list[torch.Tensor]:
    return [torch.from_numpy(np.array(weight)) for weight in layer.get_weights()]


_MAKERS: dict[Any, Callable[[Any], nn.Module]] = {
    keras.layers.Conv2D: _convolution,
    keras.layers.DepthwiseConv2D: _convolution,
    keras.layers.BatchNormalization: _norm,
    keras.layers.Dense: _dense,
    (keras.layers.ReLU, keras.layers.Activation): _relu,
    keras.layers.ZeroPadding2D: _padding,
    keras.layers.MaxPooling2D: _pooling,
    keras.layers.GlobalAveragePooling2D: lambda _layer: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()),
    keras.layers.Flatten: lambda _layer: FlattenChannelsLast(),
    keras.layers.Add: lambda _layer: Sum(),
}
