"""A network that can only be run: its inputs, its outputs, and how a batch of images passes through it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, Self

import numpy as np

from schemas.models import AxesOrder
from workers.contract.arrays import Float32

_IMAGE_RANK = 4


@dataclass(frozen=True)
class NetworkInput:
    """An input of a network as its file declares it: `shape` has the batch axis, and a size that is free is None."""

    name: str
    shape: tuple[int | None, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class NetworkOutput:
    """An output of a network.

    Attributes:
        name: the name of the output.
        shape: without the batch axis, as the file declares it. A size that is free or unknown is None.
        activation: the softmax or the sigmoid that the output ends in, or None. The values before it can be read then.
    """

    name: str
    shape: tuple[int | None, ...]
    activation: Literal["softmax", "sigmoid"] | None = None


@dataclass(frozen=True)
class ImageInput:
    """The input that takes the image, with `layout` as the order of its axes in the file. Free sizes are None."""

    name: str
    height: int | None
    width: int | None
    channels: int
    layout: AxesOrder


class ForwardNetwork(ABC):
    """A network that can only be run. It is thread-safe.

    Attributes:
        image: the input that takes the batch of images. An other input gets zeros if it is given no values.
        inputs, outputs: all inputs and outputs, in the order of the file. Not everything is declared in a file, so
            `workers.engine.forward_only.heads.examine` replaces the outputs by what it has found.
        parameters: the number of constant values in the file.
        nbytes: the size of the file, in bytes.
        digest: the sha256 of the file, in hex.
        batch: the number of images that one pass takes. None means any number.
    """

    def __init__(
        self,
        image: ImageInput,
        inputs: Sequence[NetworkInput],
        outputs: Sequence[NetworkOutput],
        *,
        parameters: int,
        nbytes: int,
        digest: str,
    ) -> None:
        self.image, self.inputs, self.outputs = image, tuple(inputs), tuple(outputs)
        self.parameters, self.nbytes, self.digest = parameters, nbytes, digest
        self.batch: int | None = self._input_of_image.shape[0]

    @property
    def other_inputs(self) -> tuple[str, ...]:
        """The names of the inputs that take no image."""
        return tuple(each.name for each in self.inputs if each.name != self.image.name)

    @property
    def pixel_scale(self) -> tuple[float, float] | None:
        """(mean, std) with which a pixel 0-255 becomes the value that the same integer stands for in a quantised input.

        It is None for an input that is not quantised.
        """
        return None

    def is_quantised(self, spec: NetworkInput) -> bool:
        """Return whether the integers of an input stand for other numbers, which are then what the input is given."""
        return False

    @abstractmethod
    def to_input_type(self, images: Float32) -> np.ndarray[Any, Any]:
        """Return preprocessed images in the number format of the input, whose axes they already have."""

    @abstractmethod
    def pass_through(self, given: Mapping[str, np.ndarray[Any, Any]], outputs: Sequence[tuple[str, bool]]) -> list[Float32]:
        """Run one batch, and return the outputs in float32, with the axes of the file.

        Args:
            given: every input by name, in its own number format.
            outputs: the name of each output, and whether the values before its activation are meant.
        """

    def seen_from(self, image: ImageInput) -> Self:
        """Return this network with another of its inputs as the one that takes the batch of images."""
        network = copy(self)
        network.image = image
        return network

    def has_batch_axis(self, spec: NetworkInput) -> bool:
        """Return whether the first axis of an input is that of the images of a batch."""
        return bool(spec.shape) and spec.shape[0] in (None, self._input_of_image.shape[0])

    def run(
        self, images: Float32, outputs: Sequence[tuple[str, bool]], values: Mapping[str, np.ndarray[Any, Any]] = MappingProxyType({})
    ) -> list[Float32]:
        """Run preprocessed images float32 (N, H, W, C) in as many passes as their number needs.

        Args:
            images: the images.
            outputs: the name of each output, and whether the values before its activation are meant.
            values: the values (1, …) of other inputs by name, which every image gets. Images have the axes (1, H, W, C).

        Returns:
            For each output, float32 (N, …), with the axes of an image in the order N, h, w, C.
        """
        size = self.batch or max(len(images), 1)
        parts = [self._run_pass(images[start : start + size], size, outputs, values) for start in range(0, len(images), size)]
        return [np.concatenate(found) for found in zip(*parts, strict=True)]

    def _run_pass(
        self, images: Float32, size: int, outputs: Sequence[tuple[str, bool]], values: Mapping[str, np.ndarray[Any, Any]]
    ) -> list[Float32]:
        """Run up to `size` images. A network with a fixed batch gets zeros in place of the missing ones."""
        count = len(images)
        if self.batch is not None and count < size:
            images = np.concatenate([images, np.zeros((size - count, *images.shape[1:]), np.float32)])
        x = self.to_input_type(np.moveaxis(images, -1, 1) if self.image.layout == "nchw" else images)
        given = {self.image.name: np.ascontiguousarray(x)}
        for each in self.inputs:
            if each.name in values:
                given[each.name] = self._repeated(each, values[each.name], len(x))
            elif each.name != self.image.name:
                given[each.name] = _zeros(each, x.shape)
        return [self._in_order(found, len(images))[:count] for found in self.pass_through(given, outputs)]

    def _repeated(self, spec: NetworkInput, values: np.ndarray[Any, Any], count: int) -> np.ndarray[Any, Any]:
        """Return the values (1, …) of an input in its number format and its order of axes, once for each image of a batch."""
        ordered = np.moveaxis(values, -1, 1) if values.ndim == _IMAGE_RANK and self.image.layout == "nchw" else values
        if not self.has_batch_axis(spec):
            return self.to_type_of(spec, ordered[0])
        return self.to_type_of(spec, np.repeat(ordered, count, axis=0))

    def to_type_of(self, spec: NetworkInput, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Return values in the number format of an input."""
        return np.ascontiguousarray(values.astype(spec.dtype))

    def _in_order(self, values: Float32, expected: int) -> Float32:
        if values.ndim == 0 or len(values) != expected:
            raise BatchNotKept(f"a batch of {expected} images gives an output of the shape {values.shape}")
        return np.moveaxis(values, 1, -1) if self.image.layout == "nchw" and values.ndim == _IMAGE_RANK else values

    @property
    def _input_of_image(self) -> NetworkInput:
        return next(each for each in self.inputs if each.name == self.image.name)


class BatchNotKept(ValueError):
    """An output of a network does not have one row for each image of the batch."""


def _zeros(spec: NetworkInput, image_shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Return zeros for an input that takes no image.

    Its free sizes are those of the image's input if both have the same number of axes. Otherwise they are 1, and the first one is the
    number of images.
    """
    free = image_shape if len(spec.shape) == len(image_shape) else (image_shape[0], *[1] * (len(spec.shape) - 1))
    return np.zeros([own or other for own, other in zip(spec.shape, free, strict=False)], spec.dtype)
