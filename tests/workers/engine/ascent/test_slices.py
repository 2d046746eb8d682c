"""The slices of an ascent, and the chunks of images that one call of a step takes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf

from schemas.methods.synthesis.regularisers import Regularisers
from schemas.methods.synthesis.transforms import Transforms
from tests.workers.engine.ascent.support import TF_PREPROCESSING, ScarceMemoryCache, ascent, finish, fourier_spec, lively, pixel_spec, run
from workers.contract.synthesis import AscentSpec, Objective
from workers.engine.ascent import cost, loop
from workers.engine.compiled_cache import CompiledCache
from workers.engine.device_speed import DeviceSpeed
from workers.engine.graph import Graph

CHANNELS = Objective("channel", "conv2", (5, 0, 3))


EVERY_TRANSFORM = Transforms(pad=2, jitter=2, scale=0.1, rotate=10)


def spec_of(kind: str, **changes: object) -> AscentSpec:
    return fourier_spec(CHANNELS, **changes) if kind == "fourier" else pixel_spec(CHANNELS, **changes)


@pytest.mark.parametrize("kind", ["fourier", "pixel"])
@pytest.mark.parametrize("layer", ["conv2", "pool1"])
def test_a_batch_gives_what_its_images_give_alone(kind: str, layer: str) -> None:
    """This holds whether the channels asked for are computed alone (conv2) or with all others (pool1)."""
    model = lively()
    spec = replace(spec_of(kind, transforms=EVERY_TRANSFORM, regularisers=Regularisers(total_variation=0.3)))
    spec = replace(spec, objective=Objective("channel", layer, (5, 0, 3)))
    together = run(model, spec)
    for index, channel in enumerate(spec.objective.indices):
        alone = run(model, replace(spec, objective=Objective("channel", layer, (channel,))))
        np.testing.assert_allclose(alone.images[0], together.images[index], atol=1e-4)
        np.testing.assert_allclose(alone.values[0], together.values[index], atol=1e-4)


def test_chunks_give_the_same_as_one_call(monkeypatch: pytest.MonkeyPatch) -> None:
    model = lively()
    together = run(model, fourier_spec(CHANNELS))
    monkeypatch.setattr(cost, "MOST_IMAGES", 2)
    apart = run(model, fourier_spec(CHANNELS))
    np.testing.assert_allclose(apart.images, together.images, atol=1e-4)
    np.testing.assert_allclose(apart.values, together.values, atol=1e-4)


def test_one_trace_for_all_channels_batches_rates_and_weights() -> None:
    compiled = CompiledCache()
    model = lively()
    graph = Graph(model)

    def traces(spec: AscentSpec) -> int:
        finish(ascent(graph, TF_PREPROCESSING, spec, compiled))
        return compiled.traces

    spec = pixel_spec(CHANNELS, steps=3, transforms=EVERY_TRANSFORM, regularisers=Regularisers(l2=0.1, blur=1.0))
    assert traces(spec) == 1
    others = replace(spec, objective=Objective("channel", "conv2", (1,)), learning_rate=0.7, seed=9, steps=5, scale=(2.0, 3.0, 4.0))
    assert traces(others) == 1
    assert traces(replace(spec, regularisers=Regularisers(l2=3.0), transforms=Transforms(pad=2, jitter=1, rotate=5))) == 1
    assert traces(replace(spec, objective=Objective("channel", "conv1", (1,)))) == 2


def test_every_slice_holds_whole_steps_and_the_images_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SLICE_SECONDS", 0.0)
    last, yielded = finish(ascent(Graph(lively()), TF_PREPROCESSING, fourier_spec(CHANNELS), CompiledCache()))
    assert [state.step for state in yielded] == [0, 1, 2, 3, 4, 5]
    assert last.step == last.total == 6
    for state in yielded:
        assert state.values.shape == (3, state.step)
        np.testing.assert_array_equal(state.values, last.values[:, : state.step])
        assert state.images.shape == last.images.shape
    assert 0 <= last.images.min() < last.images.max() <= 1


def test_the_state_after_every_step_to_be_shown_is_yielded_and_moves_nothing() -> None:
    last, yielded = finish(ascent(Graph(lively()), TF_PREPROCESSING, fourier_spec(CHANNELS, show=(1, 4)), CompiledCache()))
    assert [state.step for state in yielded if state.step in (1, 4)] == [1, 4]
    plain = run(lively(), fourier_spec(CHANNELS))
    np.testing.assert_array_equal(last.images, plain.images)
    start = run(lively(), fourier_spec(CHANNELS, steps=1, learning_rate=1e-9)).images
    np.testing.assert_allclose(next(state.images for state in yielded if state.step == 1), start, atol=1e-6)


def test_a_step_longer_than_a_slice_is_broken_between_its_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(cost, "MOST_IMAGES", 2)
    last, yielded = finish(ascent(Graph(lively()), TF_PREPROCESSING, fourier_spec(CHANNELS, steps=3), CompiledCache()))
    assert [state.step for state in yielded] == [0, 0, 1, 1, 2, 2]
    assert last.step == 3


def test_a_slow_device_gets_one_image_a_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(loop, "device_speed", lambda: DeviceSpeed(4.0**-12, 4.0**-12))
    _, yielded = finish(ascent(Graph(lively()), TF_PREPROCESSING, fourier_spec(CHANNELS, steps=2), CompiledCache()))
    assert [state.step for state in yielded] == [0, 0, 0, 1, 1, 1]


def test_a_call_that_finds_no_memory_is_halved_twice_and_then_fails() -> None:
    model = lively()
    spec = fourier_spec(Objective("channel", "conv2", (5, 0, 3, 1, 2, 4, 6, 7)))
    plenty = run(model, spec)
    scarce = ScarceMemoryCache(2)
    halved = run(model, spec, scarce)
    assert scarce.refused == 3
    np.testing.assert_allclose(halved.images, plenty.images, atol=1e-5)
    np.testing.assert_allclose(halved.values, plenty.values, atol=1e-5)
    with pytest.raises(tf.errors.ResourceExhaustedError):
        run(model, spec, ScarceMemoryCache(1))
