"""The pool adds up what its models take in memory, refuses those that are too large, and drops the least recently used."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from schemas.errors import ModelLoadFailed
from tests.workers.models.counted_folder import BYTES, HUGE, LAYERS, CountedFolder
from workers.models.pool import OPERATION_BYTES, LoadedModel, ModelPool


@pytest.mark.slow
def test_a_model_whose_weights_alone_are_too_large_is_refused(folder: CountedFolder) -> None:
    with pytest.raises(ModelLoadFailed) as refused:
        folder.pool(max_bytes=BYTES - 1).get("a")
    assert str(refused.value) == (
        f"The weights of model 'a' take {BYTES} bytes; all loaded models of a worker together may take {BYTES - 1} "
        "(CONVSCOPE_MAX_LOADED_BYTES)."
    )
    assert (refused.value.allowed, refused.value.got, refused.value.retryable) == (str(BYTES - 1), str(BYTES), False)
    assert folder.pool(max_bytes=BYTES).get("a").nbytes == BYTES


@pytest.mark.slow
def test_models_that_have_grown_are_dropped(folder: CountedFolder) -> None:
    """Copies of weights and compiled functions come after the load, and count as much as weights."""
    pool = folder.pool(max_bytes=2 * BYTES)
    a, b = pool.get("a"), pool.get("b")
    pool.trim()
    assert pool.loaded_names == ("a", "b")
    b.probe.nbytes, b.probe.operations = 6, 3  # type: ignore[misc]
    assert b.nbytes == BYTES + 6 + 3 * OPERATION_BYTES
    pool.trim()
    assert pool.loaded_names == ("b",)
    model = weakref.ref(a.probe.model)  # type: ignore[attr-defined]
    del a
    gc.collect()
    assert model() is None


def test_the_size_of_a_real_model_grows_with_its_copies_and_functions(folder: CountedFolder) -> None:
    loaded = ModelPool(folder.catalog().entry, HUGE).get("a")
    assert loaded.nbytes == BYTES
    x = np.zeros((1, 9, 7, 3), np.float32)
    loaded.probe.forward(x, ["conv"])
    forward = loaded.probe.operations
    assert forward > LAYERS
    assert loaded.nbytes == BYTES + forward * OPERATION_BYTES
    loaded.probe.forward(x, ["conv"])
    assert loaded.probe.operations == forward
    loaded.probe.forward(x, ["conv"], precision="bfloat16")
    assert loaded.probe.operations > 2 * forward, "bfloat16 casts on top"
    assert loaded.nbytes == BYTES + 2 * 4 * 27 + loaded.probe.operations * OPERATION_BYTES


def test_a_gradient_counts_more_than_the_forward_pass_that_it_contains(folder: CountedFolder) -> None:
    loaded = ModelPool(folder.catalog().entry, HUGE).get("a")
    x, top = np.zeros((1, 9, 7, 3), np.float32), np.array([-1], np.int32)
    loaded.probe.forward(x, ["conv"], scores=True)
    forward = loaded.probe.operations
    loaded.probe.gradients(x, "conv", top)
    assert loaded.probe.operations > 2 * forward


def test_a_deleted_or_replaced_model_is_dropped_at_the_next_look(folder: CountedFolder) -> None:
    catalog, pool = folder.catalog(), folder.pool()
    deleted: LoadedModel | None = pool.get("a")
    assert deleted is not None
    pool.get("b")
    pool.drop_absent(catalog.has)
    assert pool.loaded_names == ("a", "b")
    model = weakref.ref(deleted.probe.model)  # type: ignore[attr-defined]
    deleted = None
    (folder.path / "a.keras").unlink()
    pool.drop_absent(catalog.has)
    assert pool.loaded_names == ("b",)
    assert model() is None
    folder.save("b", seed=1)
    pool.drop_absent(catalog.has)
    assert pool.loaded_names == ()
    assert pool.get("b").nbytes == BYTES


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
