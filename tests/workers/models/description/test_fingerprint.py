"""The fingerprint depends on the architecture and the weights, and on nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.workers.models.entries import file_entry
from tests.zoo import seeded
from workers.models.description.fingerprint import fingerprint
from workers.models.loading import load_model

layers = keras.layers


def model(activation: str = "relu") -> keras.Model:
    stack = [layers.Conv2D(4, 3, activation=activation, name="conv"), layers.Dropout(0.5, name="drop"), layers.Flatten(name="flat")]
    return seeded(keras.Sequential([keras.Input((9, 7, 3), name="photo"), *stack, layers.Dense(3, name="scores")], name="model"))


def one_weight(changed: keras.Model) -> None:
    kernel = np.array(changed.get_layer("conv").kernel.value)
    kernel[2, 1, 0, 3] = np.nextafter(kernel[2, 1, 0, 3], np.float32(9))
    changed.get_layer("conv").kernel.assign(kernel)


def swapped_weights(changed: keras.Model) -> None:
    bias = changed.get_layer("conv").bias
    bias.assign(np.array(bias.value)[::-1])


@pytest.mark.parametrize("change", [one_weight, swapped_weights])
def test_it_changes_with_any_weight(change: Callable[[keras.Model], None]) -> None:
    changed = model()
    change(changed)
    assert fingerprint(changed) != fingerprint(model())


def test_it_changes_with_the_architecture_alone() -> None:
    assert fingerprint(model("elu")) != fingerprint(model("relu"))


def test_running_the_model_does_not_change_it() -> None:
    used = model()
    used(np.ones((2, 9, 7, 3), np.float32), training=True)  # dropout draws random numbers, which changes the state of its generator
    assert fingerprint(used) == fingerprint(model())


@pytest.mark.slow
def test_it_is_the_same_in_another_process(tmp_path: Path) -> None:
    model().save(tmp_path / "model.keras")
    script = (
        "import sys; from pathlib import Path; from tests.workers.models.entries import file_entry; "
        "from workers.models.loading import load_model; from workers.models.description.fingerprint import fingerprint; "
        "import keras; keras.layers.Conv2D(1, 1); print(fingerprint(load_model(file_entry(Path(sys.argv[1])))))"
    )
    there = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "model.keras")],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[4],
    )
    assert there.stdout.split()[-1] == fingerprint(load_model(file_entry(tmp_path / "model.keras")))
