"""The scenes on which the gallery's vision transformer is trained, and its tokens."""

from __future__ import annotations

import numpy as np
from PIL import Image

from tests.contract.cases import examined_model
from workers.models.small_vit import BLOCKS, LABELS, SIDE, scenes, small_vit

COLOURS = {"cat": (255, 0, 0), "coffee": (0, 255, 0), "rocket": (0, 0, 255)}


def test_scenes_show_what_they_say() -> None:
    photos = {label: Image.new("RGB", (60, 40), colour) for label, colour in COLOURS.items()}
    images, present = scenes(photos, 40, np.random.default_rng(0))
    assert images.shape == (40, SIDE, SIDE, 3)
    assert (images.min(), images.max()) == (-1, 1)
    assert 0 < present.mean() < 1
    for index, label in enumerate(LABELS):
        pure = 2 * (np.array(COLOURS[label]) / 255) - 1
        shares = (images == pure).all(axis=-1).mean(axis=(1, 2))
        assert (shares[present[:, index] == 0] < 0.02).all(), label
        assert (shares[present[:, index] == 1] > 0.02).mean() > 0.8, label  # another part may cover it


def test_its_tokens_are_a_map_behind_a_class_token() -> None:
    _, published = examined_model("small_vit", small_vit(24))
    attention = [layer for layer in published.description.layers if layer.kind == "attention"]
    assert len(attention) == BLOCKS
    assert {layer.token_grid and (layer.token_grid.height, layer.token_grid.width, layer.token_grid.before) for layer in attention} == {
        (3, 3, 1)
    }
