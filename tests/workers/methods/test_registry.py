from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

import pytest

from schemas.errors import UnknownMethod
from schemas.methods import METHODS
from schemas.methods.inspection.predict import Predict
from workers import methods
from workers.methods import implementation, implementations


@pytest.fixture
def replaced(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put another module in the place of `workers.methods.inspection.predict`."""
    implementation.cache_clear()

    def replace(**functions: Any) -> None:
        module = ModuleType("workers.methods.inspection.predict")
        vars(module).update(functions)
        monkeypatch.setitem(sys.modules, module.__name__, module)

    yield replace
    implementation.cache_clear()


def test_every_method_is_implemented() -> None:
    found = implementations()
    assert list(found) == list(METHODS)
    for name, method in found.items():
        assert method.method == name
        assert method.lane == METHODS[name].card.lane


def test_an_unknown_method_gets_its_nearest() -> None:
    with pytest.raises(UnknownMethod, match="Nearest: grad_cam"):
        implementation("gradcam")


def test_a_method_without_a_module_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        methods, "params_class", lambda method: type("NotWritten", (Predict,), {"__module__": "schemas.methods.inspection.not_written"})
    )
    with pytest.raises(RuntimeError, match=r"no module workers\.methods\.inspection\.not_written"):
        implementation("not_written")


def test_a_module_that_cannot_be_imported_says_its_own_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> ModuleType:
        raise ModuleNotFoundError("No module named 'nowhere'", name="nowhere")

    implementation.cache_clear()
    monkeypatch.setattr(methods.importlib, "import_module", fail)
    with pytest.raises(ModuleNotFoundError, match="nowhere"):
        implementation("predict")


def test_a_module_without_draw_is_refused(replaced: Any) -> None:
    replaced(run=lambda probe, inputs, params: [])
    with pytest.raises(RuntimeError, match="has no function 'draw'"):
        implementation("predict")


def test_a_generator_in_the_fast_lane_is_refused(replaced: Any) -> None:
    def run(probe: Any, inputs: Any, params: Any) -> Any:
        yield None

    replaced(run=run, draw=lambda result, photo, params: None)
    with pytest.raises(RuntimeError, match="generator in the slow lane and none in the fast lane"):
        implementation("predict")


def test_a_fast_method_with_reusable_pieces_is_refused(replaced: Any) -> None:
    replaced(run=lambda probe, inputs, params: [], draw=lambda result, photo, params: None, reusable=lambda params: None)
    with pytest.raises(RuntimeError, match=r"predict\.reusable would never be called: only the slow lane uses it"):
        implementation("predict")


def test_a_slow_method_with_a_batch_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    implementation.cache_clear()
    monkeypatch.setattr(importlib.import_module("workers.methods.synthesis.filters"), "batch_key", lambda params: (), raising=False)
    with pytest.raises(RuntimeError, match=r"filters\.batch_key would never be called: only the fast lane uses it"):
        implementation("filters")
    implementation.cache_clear()


def test_without_a_batch_key_only_equal_parameters_share_a_batch(replaced: Any) -> None:
    replaced(run=lambda probe, inputs, params: [], draw=lambda result, photo, params: None)
    key = implementation("predict").batch_key
    assert key(Predict(top=3)) == key(Predict(top=3))
    assert hash(key(Predict(top=3))) == hash(key(Predict(top=3)))
    assert key(Predict(top=3)) != key(Predict(top=4))
