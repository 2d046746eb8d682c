"""Tokens as maps."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.models import Layer, LayerKind, ModelDescription, TokenGrid
from tests.workers.methods.support import published
from workers.methods.token_maps import to_map


def model(shape: tuple[int, ...], grid: TokenGrid | None) -> ModelDescription:
    layer = Layer(
        path="block/norm",
        type="LayerNormalization",
        kind=LayerKind.NORMALIZATION,
        output_shape=shape,
        parameters=0,
        channels=shape[-1],
        receptive_field=None,
        inbound=(),
        token_grid=grid,
        cam_able=True,
    )
    return published(["a", "b"]).description.model_copy(update={"layers": (layer,)})


def test_tokens_fill_the_map_row_by_row_and_class_tokens_are_left_out() -> None:
    tokens = np.stack([np.arange(8) + 10 * n for n in range(2)])[..., None] * np.array([1, -1])
    got = to_map(tokens.astype(np.float32), model((8, 2), TokenGrid(height=2, width=3, before=1)), "block/norm")
    np.testing.assert_array_equal(got[..., 0], [[[1, 2, 3], [4, 5, 6]], [[11, 12, 13], [14, 15, 16]]])
    np.testing.assert_array_equal(got[..., 1], -got[..., 0])


def test_a_map_is_returned_unchanged() -> None:
    values = np.zeros((2, 3, 4, 5), np.float32)
    assert to_map(values, model((3, 4, 5), None), "block/norm") is values


def test_tokens_without_a_grid_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'block/norm' has no map; its output has the shape \(1, 8, 2\)"):
        to_map(np.zeros((1, 8, 2), np.float32), model((8, 2), None), "block/norm")
