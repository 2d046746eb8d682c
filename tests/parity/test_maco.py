"""The phase parametrisation is compared with Xplique's (MaCo: Fel et al., arXiv:2306.06805), and the law of magnitudes with its table.

These differences are known:
- Xplique standardises the phases and the image. The test gives it phases that already have the mean 0 and the deviation 1, so the
  standardising changes only the last digit (it divides by the deviation plus 1e-5).
- Some waves are their own mirror image or share a column with their mirror image. Xplique leaves their phases free, and its inverse
  transform then drops a part of them. Ours mirror each other, and the test uses phases that do.
- The table is ImageNet's mean at 512 × 512. Most of its images were enlarged to that size, so it falls off above about a hundred
  cycles, where they have no detail. The law describes the detail of photos.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import tensorflow as tf

from schemas.models import Preprocessing
from tests.parity.peers import xplique_preconditioning
from tests.parity.twins import difference
from workers.engine.ascent.natural_spectrum import COLOUR_SHARES, CONTRAST, DECAY_POWER, magnitudes
from workers.engine.ascent.parametrisations import Phase

SIZES = [(12, 20), (20, 12), (64, 64), (33, 24)]  # even widths, because Xplique's images have them
TOLERANCE = 5e-5  # as a share of the image's range


def mirrored(variable: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the phases θ that `Phase` makes of φ, (3, H, W // 2 + 1)."""
    height, width = size
    columns = np.arange(width // 2 + 1)
    own = (columns == 0) | (2 * columns == width)
    return variable - own * variable[:, -np.arange(height) % height]


def standardised_phases(size: tuple[int, int]) -> np.ndarray:
    """Return φ (1, 3, H, W // 2 + 1) whose θ have the mean 0 and the deviation 1."""
    drawn = np.random.default_rng(3).normal(size=(3, size[0], size[1] // 2 + 1))
    one, columns = mirrored(drawn, size), np.arange(size[1] // 2 + 1)
    own = (columns == 0) | (2 * columns == size[1])
    free = np.broadcast_to(~own, one.shape)  # mirrored phases have the mean 0 already
    drawn = drawn - free * one[free].mean()
    return (drawn / mirrored(drawn, size).std())[None].astype(np.float32)


@pytest.mark.parametrize("size", SIZES)
def test_images_of_the_same_magnitudes_and_phases(size: tuple[int, int]) -> None:
    """Before the sigmoid, Xplique's image has a deviation of 1, and ours has `CONTRAST`."""
    phase, variable = Phase(size, 3, Preprocessing()), standardised_phases(size)
    turned = tf.constant(mirrored(variable[0], size).astype(np.float32))
    theirs = np.asarray(xplique_preconditioning.maco_image_parametrization(tf.constant(magnitudes(size, 3)), turned, (0.0, 1.0)), float)
    logits = np.log(theirs / (1 - theirs)) * CONTRAST
    expected = 1 / (1 + np.exp(-logits))
    assert expected.std() > 0.1
    assert difference(phase.image(tf.constant(variable)).numpy()[0], expected) < TOLERANCE


def test_the_law_is_near_the_table_where_photos_have_detail() -> None:
    """The table holds ImageNet's mean magnitudes by frequency, from 2 to 112 cycles (the detail of 224 pixels). The law's exponent and
    colours agree with it within a tenth, and each frequency within a half, with one common factor.
    """
    table = np.load(xplique_preconditioning.IMAGENET_SPECTRUM_PATH).astype(float)
    cycles = np.hypot(np.fft.fftfreq(512)[:, None] * 512, np.arange(257)[None, :])
    edges = np.geomspace(2, 112, 15)
    bands = [(cycles >= low) & (cycles < high) for low, high in pairwise(edges)]
    frequency = np.array([np.log(cycles[band]).mean() for band in bands])
    theirs = np.array([[np.log(plane[band].mean()) for band in bands] for plane in table])
    exponents = [-np.polyfit(frequency, plane, 1)[0] for plane in theirs]
    np.testing.assert_allclose(exponents, DECAY_POWER, rtol=0.1)
    strengths = np.exp((theirs + DECAY_POWER * frequency).mean(axis=1))
    np.testing.assert_allclose(strengths / strengths[1], COLOUR_SHARES, rtol=0.1)
    law = np.log(COLOUR_SHARES)[:, None] - DECAY_POWER * frequency
    off = theirs - law
    assert np.abs(off - off.mean()).max() < np.log(1.5)
