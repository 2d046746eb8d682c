"""The recipes of the presets: the start, the kind of step, the units and the way of drawing that a preset fixes beside its parameters.

Sources:
    lucid: Olah et al., Feature Visualization, Distill 2017, as torch-lucent implements it.
    maco: Fel et al., arXiv:2306.06805, with a law for the magnitudes.
    dlwp1: Chollet, Deep Learning with Python, 1st edition, 5.4.2.
    dlwp2: the same book, 2nd edition, 9.4.2.
    keras_blog: "How convolutional neural networks see the world", blog.keras.io 2016.
    keras_io: keras.io/examples/vision/visualizing_what_convnets_learn.

The numbers of a source are in the units of its own model's raw input. Ascent runs in those units for every model, and `units` says how
the model sees them. If a model's input has the source's scale, the numbers reach it unchanged, as in the source: for VGG16, whose mean is
then not subtracted, a start of about 128 is bright, not grey. Every other model sees the same colours: a start of about 128 of 0-255 is
grey to it, and a step is as many grey levels.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from rendering.drawings.synthesised_image import PixelUnits, StandardisedPicture
from schemas.methods.synthesis.parametrisations import ParametrisationName
from schemas.methods.synthesis.presets import PRESETS, FilterPreset
from schemas.models import Preprocessing
from workers.contract.synthesis import Start

WHITE, BLACK = (255, 255, 255), (0, 0, 0)


@dataclass(frozen=True)
class Recipe:
    """The way in which a preset runs and draws.

    Attributes:
        optimizer: How a step follows the gradient (see `AscentSpec`).
        gradient_norm: How the gradient is normalised (see `AscentSpec`).
        start: Where ascent starts, for the parametrisation `pixel`.
        unit: The size of 1 of the source's units, in levels of 0-255.
        zero: The place of 0 of the source's units, in levels of 0-255.
        picture: How an image of the parametrisation `pixel` is drawn.
        margin: Border of the feature map that the objective leaves out.
        order: How the grid is filled: row by row, or column by column.
        gap: Pixels between two tiles of the grid.
        background: Colour of the gaps.
        only_positive: If it is true, an image whose objective is 0 or less at any step is left out of the grid.
        best: The grid shows this many of the other images, the best first. None stands for all, in the order asked for.
        true_colours: If it is true, the input of a BGR model is drawn in its true colours. The other sources draw BGR as if it were RGB.
        redirect: See `AscentSpec`.
    """

    optimizer: Literal["adam", "ascent"]
    gradient_norm: Literal["none", "rms", "l2"]
    start: Start
    unit: float
    zero: float
    picture: StandardisedPicture
    margin: int = 0
    order: Literal["row", "column"] = "row"
    gap: int = 5
    background: tuple[int, int, int] = BLACK
    only_positive: bool = False
    best: int | None = None
    true_colours: bool = False
    redirect: bool = False


BOOK = StandardisedPicture(0.1 * 255, 1e-5, 0.5 * 255)
LUCID = Recipe(
    "adam",
    "none",
    Start("uniform", 0.45, 0.55),
    255.0,
    0.0,
    StandardisedPicture(0.2 * 255, 1e-5, 0.5 * 255),
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
            "ascent", "l2", Start("uniform", 0.4, 0.6), 127.5, 127.5, StandardisedPicture(64, 0, 128, PRESETS["dlwp2"].crop), margin=2
        ),
        "keras_blog": Recipe("ascent", "rms", Start("uniform", 118.0, 138.0), 1.0, 0.0, BOOK, only_positive=True, best=64),
        "keras_io": Recipe(
            "ascent",
            "l2",
            Start("uniform", -0.125, 0.125),
            127.5,
            127.5,
            StandardisedPicture(0.15 * 255, 1e-5, 0.5 * 255, PRESETS["keras_io"].crop),
            margin=2,
        ),
    }
)
FOURIER_START = Start("normal", sigma=0.01)
STARTS: Mapping[ParametrisationName, Start] = MappingProxyType({"fourier": FOURIER_START, "phase": Start("uniform", -math.pi, math.pi)})


def units(recipe: Recipe, preprocessing: Preprocessing) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return (scale, offset) for a model: its input is scale · x + offset, where x is in the source's units.

    They are one number each, or one for each channel. If the model's input has the source's scale, they are 1 and 0.
    """
    mean, std = np.broadcast_arrays(np.array(preprocessing.mean), np.array(preprocessing.std))
    if np.all(std == recipe.unit):
        return (1.0,), (0.0,)
    return tuple((recipe.unit / std).tolist()), tuple(((recipe.zero - mean) / std).tolist())


def pixel_units(recipe: Recipe, preprocessing: Preprocessing) -> PixelUnits:
    """Return how an image of the parametrisation `pixel`, which is in the model's input units, is drawn as the preset's source draws it.

    The sources draw a BGR model's input as if it were RGB, and so do their presets. `lucid` draws the true colours.
    """
    scale, offset = units(recipe, preprocessing)
    return PixelUnits(scale, offset, recipe.picture, recipe.true_colours and preprocessing.order == "bgr")
