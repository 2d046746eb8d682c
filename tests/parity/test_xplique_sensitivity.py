"""Sobol indices and HSIC are compared with Xplique's, on the same Keras model and with the same masks.

The peer enlarges its maps by bicubic interpolation of TensorFlow, so the values of the cells are compared.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tests.parity.peers import xplique
from tests.parity.peers import xplique_hsic_estimators as hsic_estimators
from tests.parity.peers import xplique_replicated_designs as replicated_designs
from tests.parity.peers import xplique_samplers as samplers
from tests.parity.test_xplique import TARGETS, logits_model
from tests.parity.twins import BLACK, CLASSES, TOLERANCE, difference, photos, twins
from workers.methods.perturbation import hsic
from workers.methods.perturbation.hsic import binary_masks
from workers.methods.perturbation.sobol import replicated_design


class OurSobolMasks(replicated_designs.ReplicatedSampler):
    """Gives the peer our masks. It also shows the model the masks B, which its index does not use."""

    def __call__(self, dimension: int, nb_design: int) -> tf.Tensor:
        masks = replicated_design(nb_design, round(dimension**0.5), seed=3).reshape(-1, dimension)
        return tf.constant(np.concatenate([masks[:nb_design], masks[:nb_design], masks[nb_design:]]))


class OurBinaryMasks(samplers.Sampler):
    """Gives the peer our masks."""

    def __call__(self, dimension: int, nb_design: int) -> tf.Tensor:
        return tf.constant(binary_masks(nb_design, round(dimension**0.5), seed=2).reshape(-1, dimension))


def faded(image: tf.Tensor) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return what covers the image by black, which is −1 for this model."""
    return lambda masks: image * masks + (1 - masks) * BLACK


def test_sobol(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tf.image, "resize", _only_nearest(tf.image.resize))
    peer = xplique.SobolAttributionMethod(logits_model(), 3, 16, OurSobolMasks(), perturbation_function=faded)
    found = twins().run("sobol", photos(), cells=3, designs=16, seed=3, baseline="black")
    assert difference(np.concatenate([each.cells for each in found]), peer(photos(), TARGETS).numpy()[..., 0]) < 10 * TOLERANCE


def test_hsic(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peer gets our masks and our width of the kernel, in place of the median of the scores."""
    widths = [float(np.float32(0.5 + row)) for row in range(len(CLASSES))]
    ours, theirs = iter(widths), iter(widths)
    monkeypatch.setattr(hsic, "kernel_width", lambda _scores: next(ours))
    monkeypatch.setattr(hsic_estimators, "tfp", SimpleNamespace(stats=SimpleNamespace(percentile=lambda *_, **__: next(theirs))))
    monkeypatch.setattr(tf.image, "resize", _only_nearest(tf.image.resize))
    peer = xplique.HsicAttributionMethod(logits_model(), 4, 60, OurBinaryMasks(binary=True), perturbation_function=faded)
    found = twins().run("hsic", photos(), cells=4, masks=60, seed=2, baseline="black")
    assert difference(np.concatenate([each.cells for each in found]), peer(photos(), TARGETS).numpy()[..., 0]) < 100 * TOLERANCE


def _only_nearest(resize: Callable[..., tf.Tensor]) -> Callable[..., tf.Tensor]:
    """Return a resize that leaves out the peer's bicubic enlargement of the map, so that the values of the cells are compared."""
    return lambda image, size, method: image if method == tf.image.ResizeMethod.BICUBIC else resize(image, size, method=method)
