"""What ascent moves, and how it becomes an image: plain pixels, a spectrum with decorrelated colour, or a spectrum's phases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import tensorflow as tf

from schemas.models import Preprocessing
from workers.contract.arrays import Float32
from workers.contract.synthesis import Start
from workers.engine.ascent.natural_spectrum import magnitudes

# Colour directions of natural images (Olah et al., Feature Visualization, Distill 2017, "Preconditioning"), RGB in rows.
COLOUR_DIRECTIONS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], np.float32)
DECAY_POWER = 1.0


class Parametrisation(Protocol):
    """A map from a variable (n, *shape) to images (n, H, W, C) and on to the model's input (n, H, W, C), all float32."""

    @property
    def shape(self) -> tuple[int, ...]:
        """One image's variable."""
        ...

    def image(self, variable: Any) -> Any: ...

    def model_input(self, image: Any) -> Any: ...


@dataclass(frozen=True)
class Pixel:
    """The image itself: `z`, in units of its own; the model sees `scale · z + offset`, one number for each channel or one for all."""

    size: tuple[int, int]
    channels: int
    scale: Any
    offset: Any

    @property
    def shape(self) -> tuple[int, ...]:
        return (*self.size, self.channels)

    def image(self, variable: Any) -> Any:
        return variable

    def model_input(self, image: Any) -> Any:
        return image * self.scale + self.offset


@dataclass(frozen=True)
class _Spectrum:
    """Of planes of frequencies: the image is their sigmoid, RGB in 0-1, where there are three in the decorrelated colours.

    The model sees the image through its own declared preprocessing. Where it takes other than three channels, each is a spectrum of
    its own; where it takes grey three times, there is one.
    """

    size: tuple[int, int]
    channels: int
    preprocessing: Preprocessing

    @property
    def planes(self) -> int:
        return 1 if self.preprocessing.order == "gray" else self.channels

    def model_input(self, image: Any) -> Any:
        if self.planes < self.channels:
            image = tf.repeat(image, self.channels, axis=3)
        return preprocess(image, self.preprocessing)

    def _valid(self, planes: Any) -> Any:
        """Planes (n, planes, H, W), any numbers, as images (n, H, W, C) in 0-1."""
        image = tf.transpose(planes, (0, 2, 3, 1))
        if self.planes == 3:
            image = tf.einsum("nhwk,ck->nhwc", image, colour_matrix())
        return tf.sigmoid(image)


@dataclass(frozen=True)
class Fourier(_Spectrum):
    """A spectrum `z` (C, H, W // 2 + 1, 2: real and imaginary part); the image is sigmoid(C · irfft2(s · z) / 4), RGB in 0-1,
    with s = √(HW) / max(f, 1 / max(H, W)) and C the colour directions over their largest column norm.

    As torch-lucent's `fft_image` and `to_valid_rgb` have it, at even sizes to the digit.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        height, width = self.size
        return (self.planes, height, width // 2 + 1, 2)

    def image(self, variable: Any) -> Any:
        scaled = variable * frequency_scale(self.size)[None, None, :, :, None]
        spectrum = tf.complex(scaled[..., 0], scaled[..., 1])
        return self._valid(tf.signal.irfft2d(spectrum, fft_length=self.size) / 4.0)


@dataclass(frozen=True)
class Phase(_Spectrum):
    """The phases `φ` (C, H, W // 2 + 1) of a spectrum, radians; the image is sigmoid(C · irfft2(m · exp(iθ))), m the magnitudes of
    `natural_spectrum` and C as in `Fourier` (MaCo: Fel et al., arXiv:2306.06805).

    Where a real image's spectrum mirrors itself, in column 0 and of an even width in column W / 2, a wave's phase is θ = φ − φ' with
    that of its mirror image; elsewhere θ = φ. So all magnitudes stay what they are, and with them every plane's mean, 0, and
    contrast.

    Other than the paper: the magnitudes are a law and not ImageNet's mean; its authors' code standardises phases and image at each
    step instead of mirroring, which lets the magnitudes of those two columns go, and starts at normal phases, which agree enough to
    light the corners; here they start uniform.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        height, width = self.size
        return (self.planes, height, width // 2 + 1)

    def image(self, variable: Any) -> Any:
        return self._valid(self.unbounded(variable))

    def unbounded(self, variable: Any) -> Any:
        """The planes (n, C, H, W) before colours and the sigmoid."""
        height, width = self.size
        columns = np.arange(width // 2 + 1)
        mirrored = ((columns == 0) | (2 * columns == width)).astype(np.float32)
        phase = variable - mirrored * tf.gather(variable, -np.arange(height) % height, axis=2)
        magnitude = magnitudes(self.size, self.planes)
        return tf.signal.irfft2d(tf.complex(magnitude * tf.cos(phase), magnitude * tf.sin(phase)), fft_length=self.size)


def frequency_scale(size: tuple[int, int]) -> Float32:
    """`s` of `Fourier`: (H, W // 2 + 1), frequencies in cycles a pixel."""
    height, width = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    scale = np.sqrt(height * width) / np.maximum(frequency, 1.0 / max(height, width)) ** DECAY_POWER
    return scale.astype(np.float32)


def colour_matrix() -> Float32:
    """`C` of `Fourier`: (3, 3), rgb = C · decorrelated."""
    return COLOUR_DIRECTIONS / np.linalg.norm(COLOUR_DIRECTIONS, axis=0).max()


def preprocess(image: Any, preprocessing: Preprocessing) -> Any:
    """RGB in 0-1 (n, H, W, C) as the model takes it: channel order, then (255 · x − mean) / std."""
    if preprocessing.order == "bgr":
        image = image[..., ::-1]
    mean, std = np.array(preprocessing.mean, np.float32), np.array(preprocessing.std, np.float32)
    return (image * 255.0 - mean) / std


def starts(start: Start, shape: tuple[int, ...], seed: int, keys: Sequence[int]) -> Float32:
    """Where ascent starts: (len(keys), *shape). An image's numbers depend on `seed` and its own key alone."""
    return np.stack([_start(start, shape, np.random.default_rng((seed, key))) for key in keys])


def _start(start: Start, shape: tuple[int, ...], random: np.random.Generator) -> Float32:
    if start.kind == "uniform":
        # In the order of the published snippets: random · width + low, in double precision and then rounded.
        return (random.random(shape) * (start.high - start.low) + start.low).astype(np.float32)
    return (random.standard_normal(shape) * start.sigma).astype(np.float32)
