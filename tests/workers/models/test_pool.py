"""The pool loads each model once, shares it, and drops the least recently used."""

from __future__ import annotations

import gc
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import keras
import numpy as np
import pytest

from schemas.errors import ModelChanged, ModelLoadFailed, ModelLoadInterrupted, UnknownModel
from tests.wait import wait_until
from tests.workers.models.counted_folder import BYTES, HUGE, CountedFolder
from workers.models import pool as pool_module
from workers.models.loading import load_model
from workers.models.pool import ModelPool


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


def test_a_loaded_version_is_found_without_a_look_at_the_files(folder: CountedFolder) -> None:
    pool = folder.pool()
    model = pool.get("a")
    digest = model.published.digest
    assert pool.loaded("a", "another") is pool.loaded("b", digest) is pool.loaded("a", "") is None
    (folder.path / "a.keras").unlink()
    assert pool.loaded("a", digest) is pool.get("a", digest) is model
    pool.get("b")
    pool.loaded("a", digest)
    assert pool.loaded_names == ("b", "a")


def test_another_version_than_the_one_on_disk_is_refused(folder: CountedFolder) -> None:
    pool = folder.pool()
    first = pool.get("a").published.digest
    folder.save("a", seed=1)
    second = pool.get("a").published.digest
    with pytest.raises(ModelChanged, match="another version"):
        pool.get("a", first)
    assert pool.get("a", second).published.digest == second
    assert folder.loads == ["a", "a"]


def test_a_file_that_changes_while_it_is_read_is_not_served(folder: CountedFolder) -> None:
    catalog = folder.catalog()
    asked: list[str] = []

    def find(name: str, digest: str) -> Any:
        asked.append(digest)
        if len(asked) == 2:
            folder.save("a", seed=1)
        return catalog.entry(name, digest)

    pool = ModelPool(find, HUGE, folder.make_probe)
    with pytest.raises(ModelChanged):
        pool.get("a")
    assert pool.loaded_names == ()
    assert pool.get("a").published.digest == catalog.entry("a", "").digest


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


def test_a_model_that_can_never_be_loaded_is_not_loaded_again(folder: CountedFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder.path / "a.keras").write_bytes(b"broken")
    pool, loads = folder.pool(), Counter[str]()

    def counted(entry: Any, limits: Any) -> Any:
        loads[entry.digest] += 1
        return load_model(entry, limits)

    monkeypatch.setattr(pool_module, "load_model", counted)
    errors = []
    for _ in range(3):
        with pytest.raises(ModelLoadFailed, match=r"'a\.keras' is not a \.keras file") as raised:
            pool.get("a")
        errors.append(raised.value)
    assert [*loads.values()] == [1]
    assert len({error.detail for error in errors}) == 1
    (folder.path / "a.keras").write_bytes(b"broken too")
    with pytest.raises(ModelLoadFailed):
        pool.get("a")
    assert [*loads.values()] == [1, 1]


def test_an_interrupted_load_is_tried_again(folder: CountedFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [ModelLoadInterrupted("Reading took too long."), ModelLoadInterrupted("Reading took too long.")]

    def interrupted(entry: Any, limits: Any) -> Any:
        if answers:
            raise answers.pop()
        return load_model(entry, limits)

    monkeypatch.setattr(pool_module, "load_model", interrupted)
    pool = folder.pool()
    for _ in range(2):
        with pytest.raises(ModelLoadInterrupted):
            pool.get("a")
    assert pool.get("a").name == "a"


def test_the_error_of_a_failed_load_keeps_no_model_alive(folder: CountedFolder) -> None:
    """A traceback holds the frames of the load, and they hold the model and its weights."""
    models: list[weakref.ref[Any]] = []

    def fails(model: keras.Model, published: Any) -> Any:
        models.append(weakref.ref(model))
        raise ModelLoadFailed("The model is of no use.")

    pool = ModelPool(folder.catalog().entry, HUGE, fails)
    with pytest.raises(ModelLoadFailed) as raised:
        pool.get("a")
    error = raised.value
    del raised
    gc.collect()
    assert error.detail == "The model is of no use."
    assert models[0]() is None


def test_a_temporary_failure_is_tried_again_for_the_same_file(folder: CountedFolder) -> None:
    calls: list[Callable[..., Any]] = [folder.make_probe]

    def fails_once(model: keras.Model, published: Any) -> Any:
        if calls:
            calls.pop()
            raise MemoryError
        return folder.make_probe(model, published)

    pool = ModelPool(folder.catalog().entry, HUGE, fails_once)
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
    probe = ModelPool(folder.catalog().entry, HUGE).get("a").probe
    assert probe.forward(np.zeros((3, 9, 7, 3), np.float32), ["conv"]).activations["conv"].shape == (3, 7, 5, 4)
