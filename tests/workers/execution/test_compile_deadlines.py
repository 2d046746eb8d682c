"""A call on the device is allowed the time of a compilation exactly when the model's compiled functions compile. The models are real."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.workers.engine.ascent.support import fourier_spec, lively
from tests.workers.engine.support import published
from tests.workers.execution.scheduling import WAIT
from workers.contract.synthesis import DreamSpec, Objective
from workers.engine.probe import KerasProbe
from workers.execution.batch_key import BatchKey
from workers.execution.device_calls import DeviceTimeouts
from workers.execution.scheduler import Scheduler

KEY = BatchKey(7, "predict", ())


class CompilationCounter:
    """Counts how often a call was allowed the 9 s of a compilation."""

    def __init__(self) -> None:
        self.count = 0

    def expect_device_call(self, thread: int, seconds: float) -> None:
        self.count += seconds == 9.0

    def device_call_ends(self, thread: int) -> None: ...


class WatchedDevice:
    """A scheduler that answers how many compilations a piece of work has announced."""

    def __init__(self, make_scheduler: Callable[..., Scheduler]) -> None:
        self._counter = CompilationCounter()
        self.scheduler = make_scheduler(timeouts=DeviceTimeouts(call=3.0, compilation=9.0), watch=self._counter)

    def probe(self) -> KerasProbe:
        model = lively()
        return KerasProbe(model, published(model), compiling=self.scheduler.compiling)

    def compilations(self, work: Callable[[], Any]) -> int:
        """Run the work on the device as a job whose key is always the same."""
        before = self._counter.count

        def run(items: Sequence[int]) -> Sequence[int]:
            work()
            return items

        self.scheduler.fast(KEY, 0, run).result(WAIT)
        return self._counter.count - before


@pytest.fixture
def device(make_scheduler) -> WatchedDevice:
    return WatchedDevice(make_scheduler)


def images(height: int, width: int) -> np.ndarray:
    return np.zeros((1, height, width, 3), np.float32)


def test_a_new_shape_compiles_and_the_third_call_does_not(device: WatchedDevice) -> None:
    probe = device.probe()
    assert device.compilations(lambda: probe.forward(images(9, 8), scores=True)) > 0
    assert device.compilations(lambda: probe.forward(images(11, 8), scores=True)) > 0
    assert device.compilations(lambda: probe.forward(images(9, 8), scores=True)) == 0
    assert device.compilations(lambda: probe.forward(images(11, 8), scores=True)) == 0


def test_new_layers_and_bfloat16_copies_compile_once_each(device: WatchedDevice) -> None:
    probe = device.probe()
    works = [
        lambda: probe.gradients(images(9, 8), "conv1", np.array([0], np.int32)),
        lambda: probe.gradients(images(9, 8), "conv2", np.array([0], np.int32)),
        lambda: probe.gradients(images(9, 8), "conv2", np.array([0], np.int32), precision="bfloat16"),
        lambda: probe.backproject(images(9, 8), "conv1", np.zeros((1, 9, 8, 6), np.float32)),
        lambda: probe.scores_from(images(9, 8), "conv1", np.zeros((1, 9, 8, 6), np.float32)),
    ]
    for work in works:
        assert device.compilations(work) > 0
        assert device.compilations(work) == 0
    # Other classes compile nothing.
    assert device.compilations(lambda: probe.gradients(images(9, 8), "conv2", np.array([3], np.int32))) == 0


def test_steps_of_ascent_and_of_a_dream_compile_once_for_each_size(device: WatchedDevice) -> None:
    probe = device.probe()
    small = fourier_spec(Objective("channel", "conv2", (5, 0)), steps=2)
    dreamt = DreamSpec(np.zeros((12, 10, 3), np.float32), (("conv1", 1.0),), ((9, 8), (12, 10)), steps=2, step_size=0.01)
    for start in (
        lambda: probe.ascend(small),
        lambda: probe.ascend(fourier_spec(Objective("channel", "conv2", (5, 0)), steps=2, size=(15, 12))),
        lambda: probe.dream(dreamt),
    ):
        assert device.compilations(lambda start=start: list(start())) > 0
        assert device.compilations(lambda start=start: list(start())) == 0
    assert device.compilations(lambda: list(probe.ascend(fourier_spec(Objective("channel", "conv2", (1, 2)), steps=3)))) == 0


def test_randomised_weights_compile_anew(device: WatchedDevice) -> None:
    probe = device.probe()
    device.compilations(lambda: probe.forward(images(9, 8), scores=True))
    assert device.compilations(lambda: probe.randomised(["conv1"], 1).forward(images(9, 8), scores=True)) > 1


def test_a_model_under_the_key_of_an_evicted_one_is_not_taken_for_compiled(device: WatchedDevice) -> None:
    """`BatchKey.model` is an `id`, which Python gives to another object once the first is gone."""
    first = device.probe()
    assert device.compilations(lambda: first.forward(images(9, 8), scores=True)) > 0
    second = device.probe()
    assert device.compilations(lambda: second.forward(images(9, 8), scores=True)) > 0
    assert device.compilations(lambda: second.forward(images(9, 8), scores=True)) == 0
