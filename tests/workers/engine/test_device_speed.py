"""The measured speed of the device."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import pytest
import tensorflow as tf

from workers.engine import device_speed as module
from workers.engine.device_speed import DeviceSpeed, device_speed, products_per_second, step_of, values_per_second


@pytest.fixture(autouse=True)
def not_measured_yet() -> Iterator[None]:
    device_speed.cache_clear()
    yield
    device_speed.cache_clear()


@pytest.mark.parametrize(
    ("ratio", "step"), [(1.0, 1.0), (0.55, 1.0), (1.9, 1.0), (0.45, 0.25), (2.1, 4.0), (7.9, 4.0), (8.1, 16.0), (140.0, 256.0)]
)
def test_a_ratio_counts_as_the_nearest_power_of_four(ratio: float, step: float) -> None:
    assert step_of(ratio) == step


def test_the_device_is_measured_once_and_its_speeds_are_powers_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = device_speed()
    monkeypatch.setattr(module, "fastest", lambda run: pytest.fail("the speed was measured again"))
    assert device_speed() is measured
    for factor in (measured.products, measured.values):
        assert math.log(factor, 4) == pytest.approx(round(math.log(factor, 4)))


def test_each_speed_is_its_own_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "products_per_second", lambda: 16 * module.REFERENCE_PRODUCTS)
    monkeypatch.setattr(module, "values_per_second", lambda: 0.3 * module.REFERENCE_VALUES)
    assert device_speed() == DeviceSpeed(products=16.0, values=0.25)


def test_the_work_grows_until_a_run_is_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    """The device of this test does 10⁹ values or products a second, so that 2²¹ of them take 2.1 ms, and half of them too little."""
    monkeypatch.setattr(module, "_change", lambda count: count)
    monkeypatch.setattr(module, "_multiply", lambda side: side**3)
    measured: list[int] = []

    def fastest(work: int) -> float:
        measured.append(work)
        return work / 1e9

    monkeypatch.setattr(module, "fastest", fastest)
    assert values_per_second(2**19) == pytest.approx(1e9)
    assert measured == [2**19, 2**20, 2**21]
    measured.clear()
    assert products_per_second(64) == pytest.approx(1e9)
    assert measured == [2**18, 2**21]


def test_the_largest_work_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_change", lambda count: count)
    monkeypatch.setattr(module, "fastest", lambda count: 1e-6)
    assert values_per_second() == pytest.approx(module.LARGEST_COUNT / 1e-6)


def test_the_fastest_run_counts_and_the_first_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now, pauses = [0.0], iter([0.001, *[0.5] * 9, 0.2, *[0.7] * 30])
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def run() -> tf.Tensor:
        now[0] += next(pauses)
        return tf.constant(1.0)

    assert module.fastest(run) == pytest.approx(0.2)
