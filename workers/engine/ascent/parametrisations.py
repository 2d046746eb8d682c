"""The variables that ascent changes, and how they become an image: pixels, a spectrum with decorrelated colours, or its phases."""

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

# The colour directions of natural images (Olah et al., Feature Visualization, Distill 2017, "Preconditioning"). Rows are R, G, B.
COLOUR_DIRECTIONS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]], np.float32)
DECAY_POWER = 1.0


class Parametrisation(Protocol):
    """Turns a variable (n, *shape) into images (n, H, W, C), and these into the model's input (n, H, W, C), all float32."""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the variable of one image."""
        ...

    def image(self, variable: Any) -> Any:
        """Return the images of variables: RGB in 0-1, or the variables themselves for `Pixel`."""
        ...

    def model_input(self, image: Any) -> Any:
        """Return what the model sees of images."""
        ...


@dataclass(frozen=True)
class Pixel:
    """The image itself, in units of its own: the model sees `scale` · pixel + `offset`, each one number for all channels or (C,)."""

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
    """The common part of `Fourier` and `Phase`: planes of frequencies whose sigmoid is the image, in 0-1.

    Three planes are decorrelated colours and become RGB; any other number are the channels themselves. A model that takes grey
    three times has a single plane. The model sees the image through the preprocessing that it declares.
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
        """Return unbounded planes (n, planes, H, W) as images (n, H, W, C) in 0-1."""
        image = tf.transpose(planes, (0, 2, 3, 1))
        if self.planes == 3:
            image = tf.einsum("nhwk,ck->nhwc", image, colour_matrix())
        return tf.sigmoid(image)


@dataclass(frozen=True)
class Fourier(_Spectrum):
    """A spectrum z of shape (planes, H, W // 2 + 1, 2), whose last axis is the real and imaginary part.

    The image is sigmoid(C · irfft2(s · z) / 4) with s = √(HW) / max(f, 1 / max(H, W)), where C are the colour directions divided by
    their largest column norm. This equals torch-lucent's `fft_image` and `to_valid_rgb`, at even sizes to the last digit.
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
    """The phases φ of a spectrum, in radians, of shape (planes, H, W // 2 + 1) (MaCo: Fel et al., arXiv:2306.06805).

    The image is sigmoid(C · irfft2(m · exp(iθ))) with the magnitudes m of `natural_spectrum` and C as in `Fourier`. The spectrum of a
    real image mirrors itself in column 0, and for an even width also in column W / 2. There θ = φ − φ', where φ' is the phase of the
    mirror image; elsewhere θ = φ. So the magnitudes never change, nor do the mean (0) and contrast of each plane.

    Deviations from the paper: the magnitudes are a formula and not the mean of ImageNet. The authors' code does not mirror; it
    standardises phases and image at each step, so the magnitudes of these two columns change. It starts at normal phases, which agree
    so much that the corners become bright; here the phases start uniform.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        height, width = self.size
        return (self.planes, height, width // 2 + 1)

    def image(self, variable: Any) -> Any:
        return self._valid(self.unbounded(variable))

    def unbounded(self, variable: Any) -> Any:
        """Return the planes (n, planes, H, W) before the colours and the sigmoid."""
        height, width = self.size
        columns = np.arange(width // 2 + 1)
        mirrored = ((columns == 0) | (2 * columns == width)).astype(np.float32)
        phase = variable - mirrored * tf.gather(variable, -np.arange(height) % height, axis=2)
        magnitude = magnitudes(self.size, self.planes)
        return tf.signal.irfft2d(tf.complex(magnitude * tf.cos(phase), magnitude * tf.sin(phase)), fft_length=self.size)


def frequency_scale(size: tuple[int, int]) -> Float32:
    """Return s of `Fourier`, (H, W // 2 + 1); frequencies f are in cycles per pixel."""
    height, width = size
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    scale = np.sqrt(height * width) / np.maximum(frequency, 1.0 / max(height, width)) ** DECAY_POWER
    return scale.astype(np.float32)


def colour_matrix() -> Float32:
    """Return C of `Fourier`, (3, 3), with rgb = C · decorrelated colours."""
    return COLOUR_DIRECTIONS / np.linalg.norm(COLOUR_DIRECTIONS, axis=0).max()


def preprocess(image: Any, preprocessing: Preprocessing) -> Any:
    """Return RGB images in 0-1, (…, C), as the model takes them: in its channel order, then (255 · x − mean) / std."""
    if preprocessing.order == "bgr":
        image = image[..., ::-1]
    mean, std = np.array(preprocessing.mean, np.float32), np.array(preprocessing.std, np.float32)
    return (image * 255.0 - mean) / std


def start_values(start: Start, shape: tuple[int, ...], seed: int, keys: Sequence[int]) -> Float32:
    """Return the variables at which ascent starts, (len(keys), *shape) float32. Those of an image depend only on `seed` and its key."""
    return np.stack([_start_value(start, shape, np.random.default_rng((seed, key))) for key in keys])


def _start_value(start: Start, shape: tuple[int, ...], random: np.random.Generator) -> Float32:
    if start.kind == "uniform":
        # As in the published snippets: random · width + low in double precision, which is then rounded.
        return (random.random(shape) * (start.high - start.low) + start.low).astype(np.float32)
    return (random.standard_normal(shape) * start.sigma).astype(np.float32)
