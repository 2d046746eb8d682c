"""The frames of the animation."""

from __future__ import annotations

import numpy as np

from tests.workers.methods.synthesis.played_ascent import TF, drive, resolved
from workers.contract.artifacts import Animation
from workers.contract.synthesis import AscentState
from workers.methods.synthesis import filter_animation, filters
from workers.methods.synthesis.filter_animation import frame_steps


def test_frames_are_the_images_after_steps_spread_evenly_and_the_finished_ones() -> None:
    assert frame_steps(128, 5) == (1, 32, 64, 96)
    assert frame_steps(3, 8) == (1, 2)
    assert (frame_steps(128, 1), frame_steps(128, 0)) == ((), ())
    slices, result, spec = drive(resolved(channels=5, steps=3, frames=3))
    assert (spec.show, [s.step for s in slices]) == ((1, 2), [0, 1, 2])
    assert [frame.shape for frame in result.frames] == [(2 * 128 + 1, 3 * 128 + 2, 3)] * 3
    assert [frame[0, 0].tolist() for frame in result.frames] == [[64] * 3, [128] * 3, [191] * 3]
    animations = [a for a in filters.draw(result, None, resolved(channels=5, steps=3, frames=3)).artifacts if isinstance(a, Animation)]
    assert [(a.name, a.frames.shape, a.milliseconds) for a in animations] == [("animation", (3, 257, 386, 3), (1000, 1000, 1500))]
    _, without, spec = drive(resolved(channels=5, steps=3))
    assert (without.frames, spec.show) == ((), ())
    assert not any(isinstance(a, Animation) for a in filters.draw(without, None, resolved(channels=5, steps=3)).artifacts)


def test_a_frame_of_very_many_images_stays_small_and_the_dead_are_crossed() -> None:
    images = np.full((512, 128, 128, 3), 0.5, np.float32)
    state = AscentState(1, 3, (images,), np.zeros((512, 1), np.float32), np.arange(512) != 1)
    frame = filter_animation.frame(resolved(channels=5, frames=2), TF, state)
    assert frame.shape == (23 * 42 + 22, 23 * 42 + 22, 3)
    assert (frame[5, 5].tolist(), frame[5, 43 + 8].tolist()) == ([128] * 3, [64] * 3)
