"""The pool loads each model once, shares it, and drops the least recently used."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from catalog.catalog import Catalog, load_catalog
from schemas.errors import ModelLoadFailed, UnknownModel
from tests.wait import wait_until
from tests.zoo import seeded
from workers.models.pool import MEMORY_FACTOR, LoadedModel, ModelPool

layers = keras.layers
BYTES = MEMORY_FACTOR * 4 * (4 * 28 + 2 * (4 * 35 + 1))  # the size of each model in the folder
HUGE = 10**12


class ProbeOfModel:
    """Replaces the engine's probe. Like that probe it holds the model."""

    def __init__(self, model: keras.Model, published: Any) -> None:
        self.model, self.published = model, published


class CountedFolder:
    """A models folder that notes each load of its models, and can hold loads up until `gate` is set."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.loads: list[str] = []
        self.gate: threading.Event | None = None

    def save(self, name: str, seed: int = 0) -> None:
        stack = [layers.Conv2D(4, 3, name="conv"), layers.Flatten(), layers.Dense(2)]
        seeded(keras.Sequential([keras.Input((9, 7, 3)), *stack]), seed).save(self.path / f"{name}.keras")

    def catalog(self) -> Catalog:
        return load_catalog(self.path / "models.toml", self.path)

    def make_probe(self, model: keras.Model, published: Any) -> Any:
        self.loads.append(published.description.name)
        if self.gate is not None:
            assert self.gate.wait(30)
        return ProbeOfModel(model, published)

    def pool(self, max_bytes: int = HUGE) -> ModelPool:
        return ModelPool(self.catalog, max_bytes, self.make_probe)


@pytest.fixture
def folder(tmp_path: Path) -> CountedFolder:
    folder = CountedFolder(tmp_path)
    for name in ("a", "b", "c"):
        folder.save(name)
    return folder


def test_a_model_is_loaded_once_and_kept(folder: CountedFolder) -> None:
    pool = folder.pool()
    first = pool.get("a")
    assert pool.get("a") is first
    assert folder.loads == ["a"]
    assert (first.name, first.published.description.name, first.nbytes) == ("a", "a", BYTES)


def test_many_callers_at_once_wait_for_one_load(folder: CountedFolder) -> None:
    pool, folder.gate = folder.pool(), threading.Event()
    with ThreadPoolExecutor(12) as threads:
        calls = [threads.submit(pool.get, "a") for _ in range(12)]
        wait_until(lambda: folder.loads)
        assert pool.loaded_names == ()
        folder.gate.set()
        assert len({id(call.result(30)) for call in calls}) == 1
    assert folder.loads == ["a"]


def test_different_models_load_side_by_side(folder: CountedFolder) -> None:
    """A model that loads slowly does not delay a caller who wants another model."""
    pool, folder.gate = folder.pool(), threading.Event()
    with ThreadPoolExecutor(2) as threads:
        calls = [threads.submit(pool.get, name) for name in ("a", "b")]
        wait_until(lambda: len(folder.loads) == 2)
        folder.gate.set()
        assert {call.result(30).name for call in calls} == {"a", "b"}


def test_the_least_recently_used_is_dropped(folder: CountedFolder) -> None:
    pool = folder.pool(max_bytes=2 * BYTES)
    pool.get("a")
    pool.get("b")
    pool.get("a")
    pool.get("c")
    assert pool.loaded_names == ("a", "c")
    pool.get("b")
    assert pool.loaded_names == ("c", "b")
    assert folder.loads == ["a", "b", "c", "b"]


def test_a_model_larger_than_the_limit_is_still_served(folder: CountedFolder) -> None:
    pool = folder.pool(max_bytes=1)
    pool.get("a")
    assert pool.loaded_names == ("a",)
    pool.get("b")
    assert pool.loaded_names == ("b",)


def test_a_dropped_model_stays_in_memory_only_while_it_is_used(folder: CountedFolder) -> None:
    pool = folder.pool(max_bytes=BYTES)
    used: LoadedModel | None = pool.get("a")
    assert used is not None
    model = weakref.ref(used.probe.model)  # type: ignore[attr-defined]
    pool.get("b")
    assert pool.loaded_names == ("b",)
    assert model() is not None
    np.asarray(model()(np.zeros((1, 9, 7, 3), np.float32)))
    used = None
    gc.collect()
    assert model() is None


def test_a_changed_file_is_loaded_again(folder: CountedFolder) -> None:
    pool = folder.pool()
    before = pool.get("a")
    folder.save("a", seed=1)
    after = pool.get("a")
    assert after.published.description.fingerprint != before.published.description.fingerprint
    assert after.published.digest != before.published.digest
    assert pool.get("a") is after
    assert pool.loaded_names == ("a",)


def test_changed_settings_are_read(folder: CountedFolder) -> None:
    pool = folder.pool()
    assert pool.get("a").preprocessing.mode == "none"
    (folder.path / "a.toml").write_text('preprocessing = "tf"\n')
    assert pool.get("a").preprocessing.mode == "tf"


def test_a_failed_load_fails_for_all_who_wait_and_is_tried_again(folder: CountedFolder) -> None:
    whole = (folder.path / "a.keras").read_bytes()
    (folder.path / "a.keras").write_bytes(b"broken")
    pool = folder.pool()
    with ThreadPoolExecutor(4) as threads:
        for call in [threads.submit(pool.get, "a") for _ in range(4)]:
            with pytest.raises(ModelLoadFailed, match=r"'a\.keras' is not a \.keras file"):
                call.result(30)
    assert pool.loaded_names == ()
    (folder.path / "a.keras").write_bytes(whole)
    assert pool.get("a").name == "a"


def test_a_temporary_failure_is_tried_again_for_the_same_file(folder: CountedFolder) -> None:
    calls: list[Callable[..., Any]] = [folder.make_probe]

    def fails_once(model: keras.Model, published: Any) -> Any:
        if calls:
            calls.pop()
            raise MemoryError
        return folder.make_probe(model, published)

    pool = ModelPool(folder.catalog(), HUGE, fails_once)
    with pytest.raises(MemoryError):
        pool.get("a")
    assert pool.get("a").name == "a"


def test_an_unknown_name_is_refused(folder: CountedFolder) -> None:
    with pytest.raises(UnknownModel, match="vgg16"):
        folder.pool().get("vgg17")


def test_a_loaded_model_prepares_images_as_declared(folder: CountedFolder) -> None:
    (folder.path / "a.toml").write_text('preprocessing = {mode = "custom", mean = [10.0], std = [2.0], fit = "crop", resize = "nearest"}\n')
    photo = np.random.default_rng(0).integers(0, 256, (9, 17, 3), np.uint8)
    tensor, placement = folder.pool().get("a").prepare(photo)
    np.testing.assert_array_equal(tensor, (photo[:, 5:12].astype(np.float32) - 10) / 2)
    assert placement.source == (0, 5, 9, 7)


def test_the_engines_probe_is_the_default(folder: CountedFolder) -> None:
    probe = ModelPool(folder.catalog(), HUGE).get("a").probe
    assert probe.forward(np.zeros((3, 9, 7, 3), np.float32), ["conv"]).activations["conv"].shape == (3, 7, 5, 4)
