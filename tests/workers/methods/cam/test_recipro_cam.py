"""Recipro-CAM: masks by hand, whole maps by plain loops, and the number of positions."""

from __future__ import annotations

import numpy as np
import pytest

from schemas import errors
from schemas.limits import MethodLimits
from schemas.methods.cam.recipro_cam import ReciproCam, blocks
from schemas.models import TokenGrid
from tests.workers.methods.cam.support import ChannelProbe, explained, with_layers
from tests.workers.methods.support import batch
from workers.methods.cam import recipro_cam


def test_masks_by_hand() -> None:
    masks = recipro_cam.position_masks(2, 3, gaussian=True) * 16
    assert masks[0].tolist() == [[4, 2, 0], [2, 1, 0]]
    assert masks[4].tolist() == [[1, 2, 1], [2, 4, 2]]
    np.testing.assert_array_equal(recipro_cam.position_masks(2, 3, gaussian=False).reshape(6, 6), np.eye(6))


def test_class_tokens_are_kept() -> None:
    model = with_layers().description
    first = model.layers[0].model_copy(update={"token_grid": TokenGrid(height=1, width=2, before=1), "output_shape": (4, 3)})
    model = model.model_copy(update={"layers": (first, *model.layers[1:])})
    tokens = np.arange(12, dtype=np.float32).reshape(1, 4, 3) + 1
    found = recipro_cam.masked(tokens, recipro_cam.position_masks(1, 2, gaussian=False), model, "conv")
    expected = np.stack([tokens[0] * [[1], [1], [0], [1]], tokens[0] * [[1], [0], [1], [1]]])
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("path", ["conv", "coarse"])
def test_the_map_by_plain_loops(path: str) -> None:
    probe, tensor = ChannelProbe(), batch(1, seed=5)
    result = explained("recipro_cam", tensor, probe, layer=path, class_index=[1, 2], score="logit", gaussian=False)
    activations = (tensor[0, ::2, ::2] if path == "coarse" else tensor[0]).astype(float)
    for row, class_index in enumerate((1, 2)):
        weights = probe.WEIGHTS[class_index].astype(float)
        # the probe's logit is Σ_k w_k · Σ_yx A_k², so a position alone gives Σ_k w_k · A_k² there
        expected = (weights * activations**2).sum(axis=-1)
        np.testing.assert_allclose(result.by_layer[path][row], expected - expected.min(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("most", "expected"), [(24, (1, 4, 6)), (23, (2, 2, 3)), (6, (2, 2, 3)), (5, (3, 2, 2)), (1, (6, 1, 1))])
def test_blocks_by_hand(most: int, expected: tuple[int, int, int]) -> None:
    assert blocks(4, 6, most) == expected


def test_blocks_of_positions_share_a_value() -> None:
    probe, tensor = ChannelProbe(), batch(1, seed=5)
    result = explained("recipro_cam", tensor, probe, class_index=1, score="logit", gaussian=False, max_positions=6)
    each = (probe.WEIGHTS[1].astype(float) * tensor[0].astype(float) ** 2).sum(axis=-1)
    sums = each.reshape(2, 2, 3, 2).sum(axis=(1, 3))
    np.testing.assert_allclose(result.by_layer["conv"][0], (sums - sums.min()).repeat(2, 0).repeat(2, 1), rtol=1e-4, atol=1e-5)


def test_too_many_positions_are_refused() -> None:
    assert ReciproCam(layer=("conv", "coarse"), augment=True).tries(with_layers().description) == 6 * (24 + 24)
    with pytest.raises(errors.LimitExceeded, match=r"at most 23 covered images, got 24\. Give a smaller max_positions") as refused:
        ReciproCam(layer="conv").resolve(with_layers(), MethodLimits(max_masks=23))
    assert refused.value.pointer == "/params/max_positions"
