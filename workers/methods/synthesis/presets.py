"""What each `filters` preset fixes beyond its parameters: start, step, units, and how its images become pictures.

dlwp1: Chollet, Deep Learning with Python, 1st ed., 5.4.2. dlwp2: 2nd ed., 9.4.2. keras_blog: "How convolutional neural networks see
the world", blog.keras.io 2016. keras_io: keras.io/examples/vision/visualizing_what_convnets_learn. lucid: Olah et al., Feature
Visualization, Distill 2017, as torch-lucent has it. maco: Fel et al., arXiv:2306.06805, with a law for the magnitudes.

The sources' numbers are in units of a model's raw input, of their own model's. Ascent runs in those units, whatever the model:
`units` says how the model sees them. A model whose input has the source's scale gets them as they are, as in the source (VGG16
without its mean taken off: a start about 128, which to VGG16 is bright, not grey). Any other sees the same colours: a start about
128 of 0-255 is grey to it, and a step is as many grey levels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from jaxtyping import Float, UInt8

from schemas.methods.synthesis.parametrisations import ParametrisationName
from schemas.methods.synthesis.presets import PRESETS, FilterPreset
from schemas.models import Preprocessing
from workers.contract.synthesis import Start

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True)
class Standardised:
    """A picture of (x − μ)/(σ + `epsilon`)·`contrast` + `level`, its border of `crop` cut off, clipped to 0-255, rounded down."""

    contrast: float
    epsilon: float
    level: float
    crop: int = 0

    def __call__(self, image: Float[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "H W c"]:
        x = (image - image.mean()) / (image.std() + self.epsilon)
        x = x[self.crop : x.shape[0] - self.crop, self.crop : x.shape[1] - self.crop]
        return np.clip(x * self.contrast + self.level, 0, 255).astype(np.uint8)


@dataclass(frozen=True)
class Recipe:
    """`unit` and `zero`: the size of 1 and the place of 0 of the source's units, in 0-255. `order`: how the grid is filled.
    `only_positive`: an objective that is ever ≤ 0 drops the image; `best`: of the others the grid shows so many, best first.
    `true_colours`: a BGR model's input is drawn as such. `redirect`: see `AscentSpec`."""

    optimizer: Literal["adam", "ascent"]
    gradient_norm: Literal["none", "rms", "l2"]
    start: Start
    unit: float
    zero: float
    picture: Standardised
    margin: int = 0
    order: Literal["row", "column"] = "row"
    gap: int = 5
    background: tuple[int, int, int] = BLACK
    only_positive: bool = False
    best: int | None = None
    true_colours: bool = False
    redirect: bool = False


BOOK = Standardised(0.1 * 255, 1e-5, 0.5 * 255)
LUCID = Recipe(
    "adam",
    "none",
    Start("uniform", 0.45, 0.55),
    255.0,
    0.0,
    Standardised(0.2 * 255, 1e-5, 0.5 * 255),
    gap=4,
    background=WHITE,
    true_colours=True,
    redirect=True,
)
RECIPES: Mapping[FilterPreset, Recipe] = MappingProxyType(
    {
        "lucid": LUCID,
        "maco": LUCID,
        "dlwp1": Recipe("ascent", "rms", Start("uniform", 128.0, 148.0), 1.0, 0.0, BOOK, order="column"),
        "dlwp2": Recipe(
            "ascent", "l2", Start("uniform", 0.4, 0.6), 127.5, 127.5, Standardised(64, 0, 128, PRESETS["dlwp2"].crop), margin=2
        ),
        "keras_blog": Recipe("ascent", "rms", Start("uniform", 118.0, 138.0), 1.0, 0.0, BOOK, only_positive=True, best=64),
        "keras_io": Recipe(
            "ascent",
            "l2",
            Start("uniform", -0.125, 0.125),
            127.5,
            127.5,
            Standardised(0.15 * 255, 1e-5, 0.5 * 255, PRESETS["keras_io"].crop),
            margin=2,
        ),
    }
)
FOURIER_START = Start("normal", sigma=0.01)
STARTS: Mapping[ParametrisationName, Start] = MappingProxyType({"fourier": FOURIER_START, "phase": Start("uniform", -math.pi, math.pi)})


def units(recipe: Recipe, preprocessing: Preprocessing) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """`(scale, offset)`: the model's input is scale · x + offset, x in the source's units; (1, 0) where the scales are the same."""
    mean, std = np.broadcast_arrays(np.array(preprocessing.mean), np.array(preprocessing.std))
    if np.all(std == recipe.unit):
        return (1.0,), (0.0,)
    return tuple((recipe.unit / std).tolist()), tuple(((recipe.zero - mean) / std).tolist())


def picture(recipe: Recipe, preprocessing: Preprocessing, image: Float[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "H W 3"]:
    """A `pixel` image, in the model's input units, as its source draws it.

    The sources draw a BGR model's input as if it were RGB, and so do their presets; `lucid` puts the colours right.
    """
    scale, offset = (np.array(numbers, image.dtype) for numbers in units(recipe, preprocessing))
    drawn = recipe.picture((image - offset) / scale)
    return as_rgb(drawn[..., ::-1] if recipe.true_colours and preprocessing.order == "bgr" else drawn)


def as_rgb(image: UInt8[np.ndarray, "h w c"]) -> UInt8[np.ndarray, "h w 3"]:
    """Three channels as they are; any other number as the grey of their mean."""
    return image if image.shape[-1] == 3 else np.repeat(image.mean(axis=-1, keepdims=True).astype(np.uint8), 3, axis=-1)
