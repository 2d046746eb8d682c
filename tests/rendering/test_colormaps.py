from __future__ import annotations

from typing import get_args

import cv2
import matplotlib as mpl
import numpy as np
import pytest

from rendering import colormaps
from schemas.methods.colormap import Colormap

NAMES: tuple[Colormap, ...] = get_args(Colormap)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "gray"])
def test_opencvs_colours_in_rgb_order(name: Colormap) -> None:
    levels = np.random.default_rng(0).integers(0, 256, (5, 7), np.uint8)
    bgr = cv2.applyColorMap(levels, getattr(cv2, f"COLORMAP_{name.upper()}"))
    np.testing.assert_array_equal(colormaps.apply(levels, name), bgr[..., ::-1])


@pytest.mark.parametrize("name", ["viridis", "inferno", "magma", "plasma"])
def test_matplotlibs_colours(name: Colormap) -> None:
    """matplotlib has the same colormaps, so a swap of red and blue would show as a large difference."""
    expected = mpl.colormaps[name](np.arange(256))[:, :3] * 255
    assert np.abs(colormaps.table(name) - expected).max() <= 3


def test_jet_is_blue_when_cold_and_red_when_hot() -> None:
    cold, hot = colormaps.apply(np.array([[0, 255]], np.uint8), "jet")[0]
    assert cold.tolist() == [0, 0, 128]
    assert hot.tolist() == [128, 0, 0]


def test_gray_is_the_level_itself() -> None:
    levels = np.arange(6, dtype=np.uint8).reshape(2, 3)
    np.testing.assert_array_equal(colormaps.apply(levels, "gray"), np.repeat(levels[..., None], 3, axis=2))


def test_a_view_is_coloured_as_its_copy() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (6, 8), np.uint8)
    np.testing.assert_array_equal(colormaps.apply(levels[::2, 1:4], "turbo"), colormaps.apply(levels[::2, 1:4].copy(), "turbo"))


def test_matplotlibs_jet() -> None:
    np.testing.assert_allclose(colormaps.matplotlib_jet(), mpl.colormaps["jet"](np.arange(256))[:, :3], atol=1e-9)
