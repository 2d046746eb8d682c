from __future__ import annotations

import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import numpy as np
import pytest
import tensorflow as tf

from workers.engine import compiled_cache
from workers.engine.compiled_cache import CompiledCache

WAIT = 30


class Notices:
    """Counts how often something compiles, and fails if a notice is given inside another."""

    def __init__(self) -> None:
        self.count, self._inside = 0, False

    @contextmanager
    def __call__(self) -> Generator[None]:
        assert not self._inside
        self.count, self._inside = self.count + 1, True
        try:
            yield
        finally:
            self._inside = False


def squared(traced: list[str] | None = None):
    def function(x: tf.Tensor) -> tf.Tensor:
        if traced is not None:
            traced.append("traced")
        return x * x

    return tf.function(function, input_signature=[tf.TensorSpec((None,), tf.float32)])


def test_a_function_is_built_once_and_traces_are_counted() -> None:
    cache, traced = CompiledCache(), []
    for length in (1, 2, 3):
        function = cache.get("square", lambda: squared(traced))
        assert function(tf.ones(length)).shape == (length,)
    assert traced == ["traced"]
    assert (len(cache), cache.traces) == (1, 1)


def test_two_threads_that_want_one_function_build_it_once_while_others_go_on() -> None:
    cache, builds = CompiledCache(), []
    building, finish = threading.Event(), threading.Event()

    def slow_build():
        builds.append(threading.get_ident())
        building.set()
        assert finish.wait(WAIT)
        return len

    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(cache.get, "slow", slow_build)
        assert building.wait(WAIT)
        second = pool.submit(cache.get, "slow", slow_build)
        assert pool.submit(cache.get, "quick", lambda: abs).result(WAIT).function is abs
        assert not first.done()
        assert not second.done()
        finish.set()
        assert first.result(WAIT) is second.result(WAIT)
        assert first.result(WAIT).function is len
    assert len(builds) == 1


def test_a_failed_build_is_raised_and_tried_again() -> None:
    cache = CompiledCache()

    def broken():
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        cache.get("key", broken)
    assert len(cache) == 0
    assert cache.get("key", lambda: len).function is len


def test_the_least_recently_used_goes_and_its_traces_stay_counted() -> None:
    cache = CompiledCache(capacity=2)
    for key in ("a", "b", "a", "c"):
        cache.get(key, squared)(tf.ones(2))
    assert (len(cache), cache.traces) == (2, 3)
    assert cache.get("a", lambda: pytest.fail("a was used last and must be there"))
    cache.get("b", squared)(tf.ones(2))
    assert cache.traces == 4
    cache.clear()
    assert (len(cache), cache.traces) == (0, 4)


def test_building_and_every_new_shape_are_announced_and_known_shapes_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    notices = Notices()
    cache = CompiledCache(compiling=notices)
    function = cache.get("square", squared)
    assert notices.count == 1
    counts = []
    for length in (2, 2, 3, 2, 3):
        assert cache.get("square", squared) is function
        np.testing.assert_array_equal(function(np.full(length, 3, np.float32)), np.full(length, 9))
        counts.append(notices.count)
    assert counts == [2, 2, 3, 3, 3]
    assert cache.traces == 1
    monkeypatch.setattr(compiled_cache, "KNOWN_SHAPES", 2)
    function(tf.ones(4))  # all shapes are forgotten, and this one is known
    function(tf.ones(4))
    function(tf.ones(2))
    assert notices.count == 5


def test_a_call_that_fails_is_announced_again() -> None:
    notices = Notices()
    function = CompiledCache(compiling=notices).get("fails", lambda: lambda x: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            function(tf.ones(2))
    assert notices.count == 3
