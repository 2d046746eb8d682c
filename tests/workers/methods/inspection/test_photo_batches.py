"""Batches of several photos: how many photos a batch has, and which photo is named when one is not finite."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schemas.errors import NonFinite
from tests.workers.methods.support import FormulaProbe, photo_of
from workers.contract.inputs import Prepared
from workers.contract.probe import Forward
from workers.methods.inspection.photo_batches import forward_in_batches

# 30 inputs of 4 × 6 (h × w) come first, then 2 of 6 × 4, then 3 of 4 × 6 again.
SIZES = [(4, 6)] * 30 + [(6, 4)] * 2 + [(4, 6)] * 3


def costly() -> FormulaProbe:
    """Return a model of which a pass takes 12 inputs."""
    probe = FormulaProbe()
    probe.per_pass = 12
    return probe


def photos(sizes: list[tuple[int, int]]) -> list[Prepared]:
    rng = np.random.default_rng(0)
    return [Prepared(photo_of(), rng.normal(size=(*size, 3)).astype(np.float32)) for size in sizes]


def test_a_pass_has_as_many_as_the_model_takes_and_one_size() -> None:
    probe, given = costly(), photos(SIZES)
    made = list(forward_in_batches(probe, given, ["pool"], scores=True))
    assert [(each.first, len(each.images)) for each in made] == [(0, 12), (12, 12), (24, 6), (30, 2), (32, 3)]
    assert probe.calls == [12, 12, 6, 2, 3]
    pooled = np.concatenate([each.found.activations["pool"] for each in made])
    np.testing.assert_allclose(pooled, [each.tensor.mean(axis=(0, 1)) for each in given], rtol=1e-5)
    logits = [FormulaProbe().forward(each.tensor[None], scores=True).logits for each in given]
    np.testing.assert_array_equal(np.concatenate([each.found.logits for each in made]), np.concatenate(logits))  # pyright: ignore


def test_the_image_that_is_not_finite_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine refuses a batch as a whole, and so does this probe."""
    forward = FormulaProbe.forward

    def strict(self: FormulaProbe, tensor: np.ndarray, *args: Any, **more: Any) -> Forward:
        if not np.isfinite(tensor).all():
            raise NonFinite("The logits are not finite.")
        return forward(self, tensor, *args, **more)

    monkeypatch.setattr(FormulaProbe, "forward", strict)
    probe, given = costly(), photos(SIZES)
    given[20].tensor[1, 2, 0] = np.nan
    made = forward_in_batches(probe, given, scores=True)
    assert next(made).first == 0
    with pytest.raises(NonFinite, match=r"^Image 20: The logits are not finite\.$"):
        next(made)
