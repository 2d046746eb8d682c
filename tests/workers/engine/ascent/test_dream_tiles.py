"""Dreams in tiles: the numbers by hand for a layer that sees one pixel, the seams, and the slices."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers

from tests.workers.engine.ascent.support import lively
from tests.workers.engine.ascent.test_dream import finished, photo, slices, spec_of
from tests.workers.engine.support import probe_of, relative_difference
from workers.contract.synthesis import DreamSpec
from workers.engine.ascent import dream as dreaming
from workers.engine.ascent.dream_tiles import TileBox, tile_boxes, tile_shifts


def test_the_tiles_are_the_fewest_and_cover_the_image_once() -> None:
    assert tile_boxes((7, 9), 4) == [
        TileBox(top, bottom, left, right) for top, bottom in ((0, 4), (4, 7)) for left, right in ((0, 3), (3, 6), (6, 9))
    ]
    assert tile_boxes((5, 3), 5) == [TileBox(0, 5, 0, 3)]
    for shape, most in (((33, 100), 32), ((129, 64), 64), ((1, 1), 64)):
        covered = np.zeros(shape, int)
        for box in tile_boxes(shape, most):
            assert max(box.bottom - box.top, box.right - box.left) <= most
            covered[box.top : box.bottom, box.left : box.right] += 1
        assert (covered == 1).all()


def test_the_shifts_differ_from_step_to_step_and_follow_the_seed() -> None:
    shifts = tile_shifts(3, 2, 50, 64)
    assert (shifts.shape, shifts.dtype, shifts.min() >= 0, shifts.max() < 64) == ((2, 50, 2), np.dtype(np.int32), True, True)
    assert len(np.unique(shifts.reshape(-1, 2), axis=0)) > 90
    np.testing.assert_array_equal(shifts, tile_shifts(3, 2, 50, 64))
    assert (shifts != tile_shifts(4, 2, 50, 64)).any()


def by_hand(image: np.ndarray, kernel: np.ndarray, most: int, shift: np.ndarray, step_size: float) -> tuple[np.ndarray, float]:
    """Return the image after a step with a 1 × 1 convolution, and the loss before it: that of a tile is Σ a² / size within its border."""
    rolled = np.roll(image, shift, axis=(0, 1))
    gradient, loss = np.zeros_like(image), 0.0
    for box in tile_boxes(image.shape[:2], most):
        part = rolled[box.top : box.bottom, box.left : box.right]
        activation = part @ kernel
        inner = np.zeros(part.shape[:2], bool)
        border = [min(2, (side - 1) // 2) for side in part.shape[:2]]
        inner[border[0] : part.shape[0] - border[0], border[1] : part.shape[1] - border[1]] = True
        loss += (activation[inner] ** 2).sum() / activation.size * box.area / (image.shape[0] * image.shape[1])
        gradient[box.top : box.bottom, box.left : box.right] = (2 * activation * inner[..., None] / activation.size) @ kernel.T
    gradient = np.roll(gradient, -shift, axis=(0, 1))
    return image + step_size * gradient / np.abs(gradient).mean(), loss


def test_a_step_in_tiles_is_the_one_worked_by_hand() -> None:
    x = keras.Input((None, None, 3))
    layer = layers.Conv2D(4, 1, use_bias=False, name="pixel")
    probe = probe_of(keras.Model(x, layers.GlobalAveragePooling2D()(layer(x))))
    kernel = np.random.default_rng(2).normal(size=(3, 4)).astype(np.float32)
    layer.set_weights([kernel[None, None]])
    image = photo(13, 18)
    spec = DreamSpec(image=image, layers=(("pixel", 1.0),), shapes=((13, 18),), steps=2, step_size=0.02, seed=5, tile=7)
    state = finished(probe, spec)
    expected, losses = image, []
    for shift in tile_shifts(5, 1, 2, 7)[0]:
        expected, loss = by_hand(expected, kernel, 7, shift, 0.02)
        losses.append(loss)
    np.testing.assert_allclose(state.image, expected, atol=2e-6)
    np.testing.assert_allclose(state.losses[0], losses, rtol=1e-5)


def test_only_octaves_larger_than_a_tile_are_tiled() -> None:
    probe = probe_of(lively())
    whole, tiled = finished(probe, spec_of()), finished(probe, spec_of(tile=26))
    np.testing.assert_array_equal(whole.losses[0], tiled.losses[0])
    np.testing.assert_array_equal(whole.losses[1], tiled.losses[1])
    assert relative_difference(np.array(whole.losses[2]), np.array(tiled.losses[2])) > 1e-4
    np.testing.assert_array_equal(finished(probe, spec_of(tile=37)).image, whole.image)


def test_a_dream_in_tiles_rises_and_is_the_same_twice() -> None:
    probe = probe_of(lively())
    first, second = finished(probe, spec_of(tile=11)), finished(probe, spec_of(tile=11))
    np.testing.assert_array_equal(first.image, second.image)
    assert all(octave[-1] > octave[0] for octave in first.losses)


def test_a_slice_is_one_tile_if_tiles_are_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = probe_of(lively())
    monkeypatch.setattr(dreaming, "SLICE_SECONDS", 0.0)
    spec = replace(spec_of(tile=13), shapes=((27, 37),), steps=2)
    states = slices(probe, spec)
    assert [state.step for state in states] == [0] * 8 + [1] * 9 + [2, 2]  # 27 × 37 takes 3 × 3 tiles of at most 13
