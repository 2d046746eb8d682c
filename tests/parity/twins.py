"""One small convolutional network twice, with the same weights: in Keras (N, H, W, C) and in torch (N, C, H, W)."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import keras
import numpy as np
import torch

from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.methods.base import MethodParams
from schemas.models import Preprocessing
from tests.workers.models.entries import file_entry
from workers.contract.inputs import Inputs
from workers.engine.probe import KerasProbe
from workers.methods import implementation
from workers.models.description.describe import describe

SIZE = (13, 18)
CLASSES = (4, 0, 2)  # one for each photo: a class with a negative logit, the top class, and another one
TOLERANCE = 1e-5  # as a share of the largest absolute value that is compared
BLACK = -1.0  # in the model's input units
LAYERS = ("conv1", "conv2", "relu2")  # conv1 is at the input's size and ends in a ReLU, conv2 has negative values, relu2 comes after conv2


def keras_model() -> keras.Model:
    layers = keras.layers
    photo = keras.Input((*SIZE, 3), name="photo")
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="conv1")(photo)
    x = layers.MaxPooling2D(2, name="pool1")(x)
    x = layers.BatchNormalization(name="norm2")(layers.Conv2D(10, 3, name="conv2")(x))
    x = layers.AveragePooling2D(2, strides=1, name="pool2")(layers.ReLU(name="relu2")(x))
    x = layers.Dense(12, activation="relu", name="hidden")(layers.Flatten(name="flat")(x))
    model = keras.Model(photo, layers.Dense(5, activation="softmax", name="classes")(x))
    rng = np.random.default_rng(7)
    for weight in model.weights:
        spread = rng.normal(0, 1, weight.shape)
        weight.assign(np.abs(spread) + 0.5 if "variance" in weight.path else spread / np.sqrt(np.prod(weight.shape[:-1]) / 4))
    return model


class TorchModel(torch.nn.Module):
    """The twin in torch, up to the logits. Each ReLU is a module of its own, because Captum requires it."""

    def __init__(self, twin: keras.Model) -> None:
        super().__init__()
        nn = torch.nn
        self.conv1, self.relu1, self.pool1 = nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)
        self.conv2, self.norm2, self.relu2 = nn.Conv2d(8, 10, 3), nn.BatchNorm2d(10, eps=twin.get_layer("norm2").epsilon), nn.ReLU()
        self.pool2 = nn.AvgPool2d(2, stride=1)
        self.hidden, self.relu3, self.classes = nn.Linear(180, 12), nn.ReLU(), nn.Linear(12, 5)
        weights = {layer.name: [torch.from_numpy(np.asarray(weight)) for weight in layer.get_weights()] for layer in twin.layers}
        state = {}
        for name in ("conv1", "conv2"):
            kernel, state[f"{name}.bias"] = weights[name]
            state[f"{name}.weight"] = kernel.permute(3, 2, 0, 1)
        for name, (kernel, bias) in ((name, weights[name]) for name in ("hidden", "classes")):
            state[f"{name}.weight"], state[f"{name}.bias"] = kernel.T, bias
        height, width, channels = twin.get_layer("pool2").output.shape[1:]
        kernel = weights["hidden"][0].reshape(height, width, channels, 12)
        state["hidden.weight"] = kernel.permute(3, 2, 0, 1).reshape(12, -1)
        norm = ("weight", "bias", "running_mean", "running_var")
        state |= {f"norm2.{name}": weight for name, weight in zip(norm, weights["norm2"], strict=True)}
        self.load_state_dict(state)
        self.eval()

    def answers(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the activations of the examined layers, for images of any size."""
        conv1 = self.relu1(self.conv1(x))
        conv2 = self.conv2(self.pool1(conv1))
        return {"conv1": conv1, "conv2": conv2, "relu2": self.relu2(self.norm2(conv2))}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool2(self.answers(x)["relu2"])
        return self.classes(self.relu3(self.hidden(x.flatten(1))))

    def layer(self, path: str) -> torch.nn.Module:
        """Return the module whose output is that of the Keras layer. The ReLU of `conv1` is a module of its own here."""
        return {"conv1": self.relu1, "conv2": self.conv2, "relu2": self.relu2}[path]


@dataclass(frozen=True)
class Twins:
    keras: keras.Model
    torch: TorchModel
    probe: KerasProbe

    def run(self, method: str, tensor: np.ndarray, **params: Any) -> list[Any]:
        """Return the result of the method's `run` for each photo. If the method explains a class, it is the one in `CLASSES`."""
        found = implementation(method)
        given = [self._resolved(method, params, row) for row in range(len(tensor))]
        if found.lane == "fast":
            return found.run(self.probe, Inputs(tensor), given)
        return [finished(found.run(self.probe, Inputs(tensor[row : row + 1]), job)) for row, job in enumerate(given)]

    def _resolved(self, method: str, params: dict[str, Any], row: int) -> MethodParams:
        known = METHODS[method]
        explained = {"class_index": CLASSES[row]} if "class_index" in known.model_fields else {}
        return known.model_validate({**explained, **params}).resolve(self.probe.published, MethodLimits())


def finished(run: Generator[Any, None, Any]) -> Any:
    """Return the return value of a slow `run` or of an ascent."""
    while True:
        try:
            next(run)
        except StopIteration as stop:
            return stop.value


@cache
def twins() -> Twins:
    model = keras_model()
    published = describe(model, file_entry(Path("twin"), preprocessing=Preprocessing.named("tf")))
    return Twins(model, TorchModel(model), KerasProbe(model, published))


def photos() -> np.ndarray:
    """Return inputs (3, 13, 18, 3) float32 from -1 to 1."""
    return np.random.default_rng(3).uniform(-1, 1, (3, *SIZE, 3)).astype(np.float32)


def channels_first(array: np.ndarray) -> torch.Tensor:
    """Return an array (N, H, W, C) as a tensor (N, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(np.moveaxis(array, -1, 1)))


def channels_last(tensor: torch.Tensor) -> np.ndarray:
    """Return a tensor (N, C, H, W) as an array (N, H, W, C)."""
    return np.moveaxis(tensor.detach().numpy(), 1, -1)


def difference(got: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference as a share of the largest expected absolute value."""
    assert got.shape == expected.shape
    largest = np.abs(expected).max()
    assert np.isfinite(got).all()
    assert largest > 0, "nothing to compare"
    return float(np.abs(got.astype(np.float64) - expected).max() / largest)
