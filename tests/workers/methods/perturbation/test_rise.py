"""RISE: masks, weighted sums and pictures by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rendering.drawings.maps_on_photo import MapsOnPhoto
from rendering.overlays.blend import blend
from schemas.limits import MethodLimits
from schemas.methods.perturbation.rise import Rise
from tests.drawn import drawn
from tests.workers.methods.linear import LinearProbe, driven
from tests.workers.methods.support import photo_of, softmax
from workers.contract.artifacts import Array, Output, Picture, PictureOfArrays
from workers.contract.inputs import Inputs
from workers.methods import previews
from workers.methods.perturbation import rise
from workers.methods.perturbation.perturbation_result import PerturbationResult

# The logits of the three classes are the mean of the upper left region of the only channel, the mean of its right half, and 0.
REGIONS = np.zeros((3, 5, 7, 1))
REGIONS[0, :2, :3], REGIONS[1, :, 4:] = 1 / 6, 1 / 15
IMAGE = np.random.default_rng(3).uniform(1, 2, (1, 5, 7, 1)).astype(np.float32)


def attribution(**changes: object) -> PerturbationResult:
    probe = LinearProbe(REGIONS)
    params = Rise.model_validate({"score": "logit", "cells": 3, **changes}).resolve(probe.published, MethodLimits())
    return driven(rise.run(probe, Inputs(IMAGE), params))[1]


def test_the_weighted_sum_by_hand() -> None:
    masks = np.array([[[1, 0.5, 0]], [[0, 1, 1]]], np.float32)
    scores = np.array([[0.5, 1.0], [0.25, 0.0]])
    # first class: 0.5·(1, 0.5, 0) + 0.25·(0, 1, 1); second class: the first mask alone
    np.testing.assert_array_equal(rise.weighted_sum(scores, masks), [[[0.5, 0.5, 0.25]], [[1, 0.5, 0]]])


def test_a_mask_is_its_cells_enlarged_and_shifted() -> None:
    masks = rise.SoftMasks(6, (5, 7), 3, 0.5, seed=1)
    # the cells are ⌈5/3⌉ × ⌈7/3⌉ = 2 × 3 pixels, so the enlarged mask is 4·2 × 4·3
    assert masks.shift.min() >= 0
    assert (masks.shift < [2, 3]).all()
    assert len(np.unique(masks.shift, axis=0)) > 1
    for cells, (down, across), mask in zip(masks.open, masks.shift, masks[0:6], strict=True):
        large = np.empty((8, 12))
        for y in range(8):
            for x in range(12):
                # interpolate between half-pixel centres, and clamp to the centres of the outermost cells
                v, h = np.clip((y + 0.5) * 3 / 8 - 0.5, 0, 2), np.clip((x + 0.5) * 3 / 12 - 0.5, 0, 2)
                top, left = min(int(v), 1), min(int(h), 1)
                below, right = v - top, h - left
                upper = cells[top, left] * (1 - right) + cells[top, left + 1] * right
                lower = cells[top + 1, left] * (1 - right) + cells[top + 1, left + 1] * right
                large[y, x] = upper * (1 - below) + lower * below
        np.testing.assert_allclose(mask, large[down : down + 5, across : across + 7], atol=1e-6)
    np.testing.assert_array_equal(masks[2:4], masks[0:6][2:4])


@pytest.mark.parametrize("probability", [0.2, 0.7])
def test_cells_are_open_with_their_probability(probability: float) -> None:
    opened = rise.SoftMasks(400, (20, 30), 7, probability, seed=0).open
    assert set(np.unique(opened)) == {0, 1}
    # five standard deviations of 19,600 draws are 0.018
    assert opened.mean() == pytest.approx(probability, abs=0.018)


def test_the_map_by_plain_loops() -> None:
    found = attribution(masks=50, probability=0.4, seed=9, class_index=(1, 0))
    masks = rise.SoftMasks(50, (5, 7), 3, 0.4, seed=9)[0:50]
    for row, chosen in enumerate((1, 0)):
        expected = np.zeros((5, 7))
        for mask in masks:
            expected += (REGIONS[chosen][..., 0] * IMAGE[0, ..., 0] * mask).sum() * mask
        np.testing.assert_allclose(found.maps[row], expected / (50 * 0.4), rtol=1e-5)
    assert found.masks == 50


def test_the_probability_is_the_default_weight() -> None:
    probe = LinearProbe(REGIONS)
    params = Rise(masks=1, class_index=2, seed=4).resolve(probe.published, MethodLimits())
    assert params.score == "probability"
    masks = rise.SoftMasks(2, (5, 7), 7, 0.5, seed=4)
    params = params.changed(masks=2)
    found = driven(rise.run(probe, Inputs(IMAGE), params))[1]
    weights = softmax(probe._logits(IMAGE * masks[0:2][..., None]))[:, 2]
    np.testing.assert_allclose(found.maps[0], np.tensordot(weights, masks[0:2], axes=1) / (2 * 0.5), rtol=1e-5)


def test_it_finds_the_region() -> None:
    found = attribution(masks=1500, class_index=(0, 1))
    assert found.maps[0][:2, :3].min() > found.maps[0][3:, 4:].max()
    assert found.maps[1][:, 5:].min() > found.maps[1][:, :2].max()


def test_the_seed_decides_the_map() -> None:
    first, again, other = (attribution(masks=20, seed=seed, class_index=0).maps for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_each_pass_ends_with_a_slice_that_has_progress_and_a_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = attribution(masks=9, class_index=0)
    monkeypatch.setattr(LinearProbe, "per_pass", 4)
    monkeypatch.setattr(previews, "PREVIEW_SECONDS", 0)
    probe = LinearProbe(REGIONS)
    params = Rise(score="logit", cells=3, masks=9, class_index=0)
    slices, found = driven(rise.run(probe, Inputs(IMAGE), params))
    assert [(each.step, each.total) for each in slices] == [(0, 9), (4, 9), (8, 9), (9, 9)]
    assert all(each.preview is not None and each.preview.shape == (5, 7, 3) for each in slices)
    np.testing.assert_array_equal(found.maps, whole.maps)


def test_a_score_that_is_the_same_under_every_mask_makes_no_map() -> None:
    """Without this rule the mean of the masks would be drawn, which is noise."""
    found = attribution(masks=30, class_index=2)
    assert not found.maps.any()
    output = rise.draw(found, photo_of(), Rise(class_index=2))
    assert output.warnings == ("great white shark (2): the map is zero everywhere; it is drawn as zeros.",)


def pictures(output: Output) -> dict[str, np.ndarray]:
    return {artifact.name: artifact.image for artifact in drawn(output).artifacts if isinstance(artifact, Picture)}


def test_it_is_drawn_from_its_smallest_value_to_its_largest() -> None:
    values = np.array([[3, 4, 4], [3.5, 5, 3]], np.float32)
    found = rise.RiseResult(values[None], attribution(masks=2, class_index=0).classes, listed=False, masks=2, agreement=(0.9,))
    output = rise.draw(found, photo_of(), Rise(colormap="magma", alpha=0.3))
    heat = np.array([[0, 0.5, 0.5], [0.25, 1, 0]], np.float32)
    expected = blend(heat, photo_of(), "magma", 0.3)
    np.testing.assert_array_equal(pictures(output)["overlay"], expected[0])
    np.testing.assert_array_equal(pictures(output)["heatmap"], expected[1])
    (array,) = (artifact.array for artifact in output.artifacts if isinstance(artifact, Array))
    np.testing.assert_array_equal(array, values)


def test_many_masks_agree_and_few_do_not() -> None:
    few, many = attribution(masks=6, class_index=0, seed=3), attribution(masks=3000, class_index=0)
    assert (many.agreement[0] or 0) > 0.9 > (few.agreement[0] or 0)


@pytest.mark.parametrize("agreement", [0.25, 0.1, -0.5])
def test_a_map_of_noise_is_drawn_faintly_in_few_colours_and_says_so(agreement: float) -> None:
    """An agreement of 0.25 is half of 0.5, so the map takes half of the colours around the middle; no map takes less than a quarter."""
    values, share = np.array([[3, 4, 4], [3.5, 5, 3]], np.float32), 0.5 if agreement == 0.25 else 0.25
    classes = attribution(masks=2, class_index=0).classes
    found = rise.RiseResult(values[None], classes, listed=False, masks=2, agreement=(agreement,))
    output = rise.draw(found, photo_of(), Rise(colormap="magma", alpha=0.8, masks=2))
    (warning,) = output.warnings
    assert f"the maps of two halves of the masks correlate by {agreement:.2f} only" in warning
    drawings = [each.drawing for each in output.artifacts if isinstance(each, Picture | PictureOfArrays)]
    maps = [each for each in drawings if isinstance(each, MapsOnPhoto)]
    assert [each.meaning for each in maps] == ["mostly noise, drawn in few colours"] * 2
    heat = np.array([[0, 0.5, 0.5], [0.25, 1, 0]], np.float32)
    overlay, heatmap = blend(np.float32(0.5) + np.float32(share) * (heat - np.float32(0.5)), photo_of(), "magma", 0.8 * share)
    np.testing.assert_array_equal(pictures(output)["overlay"], overlay)
    np.testing.assert_array_equal(pictures(output)["heatmap"], heatmap)
    ends = {0.5: ("2", "6"), 0.25: ("0", "8")}[share]  # the values 3 to 5 lie in the middle of a scale of 2 or 4 times their range
    assert [each.colour_scale({"map": values}).labels for each in maps] == [((0.0, ends[0]), (1.0, ends[1]))] * 2


def test_only_the_class_whose_map_is_noise_is_drawn_in_few_colours() -> None:
    values = np.array([[[3, 4, 4], [3.5, 5, 3]]] * 2, np.float32)
    classes = attribution(masks=2, class_index=(0, 1)).classes
    found = rise.RiseResult(values, classes, listed=True, masks=2, agreement=(0.9, 0.25))
    output = rise.draw(found, photo_of(), Rise(masks=2))
    (maps,) = (each.drawing for each in output.artifacts if isinstance(each, PictureOfArrays))
    assert isinstance(maps, MapsOnPhoto)
    assert maps.contrasts == (1.0, 0.5)
    assert maps.remark == "mostly noise, drawn in few colours: goldfish (1)"
    heatmap = pictures(output)["heatmap"]
    one, other = (heatmap[-2:, :3], heatmap[-2:, -3:])
    assert np.ptp(one.astype(int), axis=(0, 1)).max() > 1.5 * np.ptp(other.astype(int), axis=(0, 1)).max()


def test_sides_of_one_pixel_and_more_cells_than_pixels() -> None:
    masks = rise.SoftMasks(8, (1, 5), 7, 0.5, seed=0)[0:8]
    assert masks.shape == (8, 1, 5)
    assert 0 <= masks.min() < masks.max() <= 1
