"""Partition SHAP: Owen values of games and of a linear model that are worked by hand, what covers the parts, and the number of samples."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from schemas.errors import InvalidParameters, LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.perturbation.partition_shap import PartitionShap, PartitionShapFacts
from schemas.models import Preprocessing
from tests.drawn import drawn
from tests.workers.methods.linear import LinearProbe, driven
from tests.workers.methods.support import photo_of
from workers.contract.artifacts import Array
from workers.contract.inputs import Inputs
from workers.contract.progress import Slice
from workers.methods.perturbation import partition_shap
from workers.methods.perturbation.image_cover import CoverUp, cover_up
from workers.methods.perturbation.owen_values import ImageBlock, PartitionTree, mask_of
from workers.methods.perturbation.partition_shap import PartitionShapResult

# The first class reads the upper left quarter minus the lower right one, the second reads the left half.
REGIONS = np.zeros((3, 4, 6, 3))
REGIONS[0, :2, :3], REGIONS[0, 2:, 3:], REGIONS[1, :, :3] = 1 / 18, -1 / 18, 1 / 36
IMAGE = np.random.default_rng(3).uniform(1, 2, (1, 4, 6, 3)).astype(np.float32)
PLAIN = Preprocessing()


def divided(game: Callable[[np.ndarray], list[float]], shape: tuple[int, int, int], rounds: int) -> np.ndarray:
    """Return the Owen values of a game of the visible values of an input, after some parts have been divided, one at a time."""
    tree = PartitionTree(shape, np.array(game(np.zeros(shape, bool))), np.array(game(np.ones(shape, bool))))
    for _ in range(rounds):
        for division in tree.next_divisions(1):
            whole = tree.values()[0].sum()
            tree.divide(division, *(np.array(game(mask_of(visible, shape))) for visible in division.visible()))
            assert whole == pytest.approx(tree.values()[0].sum()), "a preview in the midst of a round shows all parts"
    return tree.values()


def test_an_input_is_halved_along_its_longer_side() -> None:
    whole = ImageBlock((0, 5), (0, 8), (0, 3))
    assert whole.halves() == (ImageBlock((0, 5), (0, 4), (0, 3)), ImageBlock((0, 5), (4, 8), (0, 3)))
    assert ImageBlock((0, 5), (0, 4), (0, 3)).halves() == (ImageBlock((0, 3), (0, 4), (0, 3)), ImageBlock((3, 5), (0, 4), (0, 3)))
    assert ImageBlock((2, 3), (0, 1), (0, 3)).halves() == (ImageBlock((2, 3), (0, 1), (0, 2)), ImageBlock((2, 3), (0, 1), (2, 3)))
    assert ImageBlock((2, 3), (0, 1), (1, 2)).halves() is None
    assert whole.size == 120


def test_owen_values_by_hand() -> None:
    # Three pixels a b c are divided into {a, b} and {c}. In the game a·b·c each of the two groups is needed, so they get a half each,
    # and a and b share theirs. In 2·a + b·c, the product gives b and c a half each.
    def game(visible: np.ndarray) -> list[float]:
        a, b, c = visible.ravel().astype(float)
        return [a * b * c, 2 * a + b * c]

    found = divided(game, (1, 3, 1), rounds=9)
    np.testing.assert_allclose(found[:, 0, :, 0], [[0.25, 0.25, 0.5], [2, 0.5, 0.5]])
    # after one division, {a, b} has not been divided: it shares ½ and 2½ equally
    np.testing.assert_allclose(divided(game, (1, 3, 1), rounds=1)[:, 0, :, 0], [[0.25, 0.25, 0.5], [1.25, 1.25, 0.5]])


def test_the_part_that_changes_most_is_divided_first() -> None:
    def game(visible: np.ndarray) -> list[float]:
        return [float(visible[0, 0, 0]) + 10 * float(visible[0, 3, 0])]

    found = divided(game, (1, 4, 1), rounds=2)
    np.testing.assert_allclose(found[0, 0, :, 0], [0.5, 0.5, 2.5, 7.5])
    # The right half has been divided in one of its two surroundings, so the other still shares 5 between its two pixels.


def attribution(
    regions: np.ndarray = REGIONS, image: np.ndarray = IMAGE, **changes: object
) -> tuple[list[Slice], PartitionShapResult, PartitionShap]:
    probe = LinearProbe(regions)
    params = PartitionShap.model_validate({"baseline": "black", **changes}).resolve(probe.published, MethodLimits())
    return *driven(partition_shap.run(probe, Inputs(image), params)), params


def test_a_linear_model_has_the_values_of_its_pixels() -> None:
    # every second row and column: 2 × 3 pixels, whose 18 values are all divided from each other
    regions, image = REGIONS[:, ::2, ::2], IMAGE[:, ::2, ::2]
    _, found, params = attribution(regions, image, class_index=(0, 1), samples=1000, batch_size=100)
    np.testing.assert_allclose(found.attribution, regions[:2] * image, atol=1e-5)
    np.testing.assert_allclose(found.maps, (regions[:2] * image).sum(axis=-1), atol=1e-5)
    assert found.masks < 1000, "only single values are left"
    photo = photo_of()
    output = drawn(partition_shap.draw(found, photo, params), photo)
    facts = PartitionShapFacts.model_validate(dict(output.facts))
    assert facts.base_scores == pytest.approx((0, 0), abs=1e-6)
    assert facts.whole_scores == pytest.approx(tuple(found.maps.sum(axis=(1, 2))), abs=1e-5)
    assert facts.smallest_region == 1
    arrays = {artifact.name: artifact.array for artifact in output.artifacts if isinstance(artifact, Array)}
    assert arrays["attribution"].shape == (2, 2, 3, 3)


def test_the_samples_are_counted_and_shared_among_undivided_parts() -> None:
    # 2 samples show nothing and everything, 2 the halves of the whole, and 8 those of the four parts, of which the left ones change it
    slices, found, params = attribution(class_index=0, samples=12, batch_size=4)
    assert found.masks == 12
    assert (slices[0].step, slices[-1].step, slices[-1].total) == (0, 12, 12)
    assert [each.step for each in slices] == sorted(each.step for each in slices)
    left, right = ((REGIONS[0] * IMAGE[0])[:, half].sum() for half in (slice(3), slice(3, 6)))
    assert found.maps[0, :, :3].sum() == pytest.approx(left, abs=1e-5)
    assert found.maps[0, :, 3:].sum() == pytest.approx(right, abs=1e-5)
    assert len(np.unique(found.maps[0].round(6))) == 3, "a quarter that the class reads is one value, and the others are 0"
    assert params.tries(LinearProbe(REGIONS).description) == 12


def test_a_class_that_nothing_changes_has_no_map() -> None:
    _, found, _ = attribution(class_index=2, samples=20)
    assert not found.maps.any()


def test_what_covers_the_parts() -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (9, 7, 3)).astype(np.float32)
    visible = np.ones((9, 7, 3), bool)
    visible[4:, 3, 1] = False
    blurred = cover_up(pixels, PLAIN, PartitionShap(blur=3))(visible)
    assert blurred[5, 3, 1] == pytest.approx(pixels[4:7, 2:5, 1].mean(), abs=1e-3)
    np.testing.assert_array_equal(blurred[..., [0, 2]], pixels[..., [0, 2]])
    for way in ("inpaint_telea", "inpaint_ns"):
        filled = cover_up(pixels, PLAIN, PartitionShap(baseline=way))
        found = filled(visible)
        changed = (found != pixels).any(axis=-1)
        assert changed[4:, 3].all(), "a pixel with a covered channel is covered as a whole"
        assert changed.sum() == 5
        np.testing.assert_allclose(filled(np.zeros_like(visible)), np.broadcast_to(pixels.mean(axis=(0, 1)), pixels.shape), rtol=1e-5)


def test_slices_end_while_an_image_is_covered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first image is covered only after three slices have ended without any sample, and the values are the same."""
    may_go_on = threading.Event()

    def waiting(*given: Any) -> CoverUp:
        cover = cover_up(*given)

        def covered(visible: np.ndarray) -> np.ndarray:
            assert may_go_on.wait(60)
            return cover(visible)

        return covered

    probe = LinearProbe(REGIONS)
    params = PartitionShap(baseline="black", class_index=0, samples=12).resolve(probe.published, MethodLimits())
    _, expected = driven(partition_shap.run(probe, Inputs(IMAGE, None), params))
    monkeypatch.setattr(partition_shap, "cover_up", waiting)
    run = partition_shap.run(probe, Inputs(IMAGE, None), params)
    assert [next(run).step for _ in range(4)] == [0] * 4
    may_go_on.set()
    slices, found = driven(run)
    assert slices[-1].step == 12
    np.testing.assert_array_equal(found.maps, expected.maps)


def test_the_blur_follows_the_size_of_the_input() -> None:
    assert PartitionShap().blur_side(224, 200) == 128
    assert PartitionShap(blur=9).blur_side(224, 200) == 9


def test_samples_and_inpainting_are_bounded() -> None:
    model = LinearProbe(REGIONS).published
    with pytest.raises(LimitExceeded, match="at most 100 covered images, got 500"):
        PartitionShap().resolve(model, MethodLimits(max_masks=100))
    bands = LinearProbe(np.zeros((3, 4, 6, 5))).published
    with pytest.raises(InvalidParameters, match="takes inputs of 5 channels") as refused:
        PartitionShap(baseline="inpaint_ns").resolve(bands, MethodLimits())
    assert refused.value.pointer == "/params/baseline"
