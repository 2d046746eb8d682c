"""XRAI: regions that are ranked by hand, segments, and the whole method on a model whose logit is Σ W·x²."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.transform import resize

from schemas.errors import LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.gradients.xrai import Xrai, XraiFacts
from tests.workers.methods.gradients.support import Recorded, W, by_name, resolved
from tests.workers.methods.linear import driven
from tests.workers.methods.support import batch, photo_of, published
from workers.contract.inputs import Inputs
from workers.methods.gradients import ranked_regions as ranked_regions_module
from workers.methods.gradients import xrai
from workers.methods.gradients.graph_segments import disk_of, enlarged, full_range, graph_segments, small
from workers.methods.gradients.ranked_regions import RankedRegions, ranked_regions


def ranked(values: list[float], segments: list[set[int]], min_pixels: int = 1, area: float = 1.0) -> RankedRegions:
    masks = np.array([[[place in segment for place in range(len(values))]] for segment in segments])
    return driven(ranked_regions(np.array([values], float), masks, min_pixels=min_pixels, area=area))[1]


def test_the_segment_that_gains_most_for_its_new_pixels_comes_next() -> None:
    values, segments = [4, 4, 1, 1, 0, -2], [{0, 1, 2, 3}, {4, 5}, {0, 1}]
    found = ranked(values, segments)
    assert found.gains.tolist() == [[4, 4, 1, 1, -1, -1]]
    assert found.ranks.tolist() == [[1, 1, 2, 2, 3, 3]]
    assert found.count == 3


def test_small_segments_are_left_out_and_the_rest_is_one_region() -> None:
    values, segments = [4, 4, 1, 1, 0, -2], [{0, 1, 2, 3}, {4, 5}, {0, 1}]
    assert ranked(values, segments, min_pixels=3).gains.tolist() == [[2.5, 2.5, 2.5, 2.5, -1, -1]]
    # the first region covers a third of the image, which is more than 0.3
    stopped = ranked(values, segments, area=0.3)
    assert stopped.gains.tolist() == [[4, 4, 0, 0, 0, 0]]
    assert stopped.ranks.tolist() == [[1, 1, 2, 2, 2, 2]]


def test_a_later_region_may_gain_more() -> None:
    """{0, 1} has the mean 4, and {1, 2} has 3.5. When the first has taken place 1, place 2 alone has 6, and is the best region."""
    found = ranked([7, 1, 6], [{0, 1}, {1, 2}])
    assert found.gains.tolist() == [[4, 4, 6]]
    assert found.ranks.tolist() == [[2, 2, 1]]


def test_the_work_on_a_large_image_is_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part holds 40 values of masks. The first ends after two of the three masks, and what a turn covers is taken off in parts, too."""
    rng = np.random.default_rng(3)
    values, segments = rng.normal(size=20).tolist(), [set(range(20)), set(range(0, 20, 2)), set(range(5))]
    whole = ranked(values, segments)
    monkeypatch.setattr(ranked_regions_module, "_VALUES_A_PART", 40)
    masks = np.array([[[place in segment for place in range(20)]] for segment in segments])
    parts, found = driven(ranked_regions(np.array([values]), masks, min_pixels=1, area=1.0))
    np.testing.assert_allclose(found.gains, whole.gains)
    np.testing.assert_array_equal(found.ranks, whole.ranks)
    taken = [int((whole.ranks == rank).sum()) for rank in range(1, whole.count + 1)]
    assert len(parts) == 1 + sum(-(-3 * pixels // 40) for pixels in taken)


def test_segments_are_enlarged_by_a_disk() -> None:
    assert disk_of(2).tolist() == [[0, 0, 1, 0, 0], [0, 1, 1, 1, 0], [1, 1, 1, 1, 1], [0, 1, 1, 1, 0], [0, 0, 1, 0, 0]]
    corner = np.zeros((3, 4), bool)
    corner[0, 0] = True
    assert enlarged(corner, disk_of(1)).astype(int).tolist() == [[1, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]
    assert (enlarged(corner, disk_of(0)) == corner).all()


@pytest.mark.parametrize("size", [(300, 250), (90, 130)])
def test_channels_scaled_one_by_one_are_those_of_the_whole_image(size: tuple[int, int]) -> None:
    image = np.random.default_rng(1).uniform(-1, 1, (*size, 3))
    whole = resize(image, (224, 224), order=3, mode="constant", preserve_range=True, anti_aliasing=True)
    np.testing.assert_allclose(small(image), whole, atol=1e-12)


def test_colours_give_the_segments_of_every_scale() -> None:
    image = np.zeros((224, 224, 3), np.uint8)
    image[:, 100:], image[:80, 100:] = (250, 10, 10), (10, 250, 10)
    scales, segments = driven(graph_segments(image, (250, 500), 0))
    assert scales == sorted(scales)
    assert (scales[0], scales[-1]) == (0, 2)
    assert segments.sum() == 2 * image[..., 0].size, "the segments of a scale cover each pixel once"
    for y, x, area in ((112, 50, 224 * 100), (150, 160, 144 * 124), (40, 160, 80 * 124)):
        assert segments[:, y, x].sum() == 2
        assert all(0.9 * area < segment.sum() < 1.1 * area for segment in segments[segments[:, y, x]])
    assert driven(graph_segments(np.full((5, 7, 3), 9, np.uint8), (500,), 1))[1].all(), "one colour is one segment"
    assert full_range(np.full((1, 1, 3), 9, np.uint8)).tolist() == [[[0, 0, 0]]]


def test_the_whole_method() -> None:
    """From a baseline b, the integrated gradients of W·x² are W·(x² − b²). Black is 0 and white 255, so their mean is W·(x² − 255²/2)."""
    x, probe = batch(1), Recorded()
    params = resolved("xrai", class_index=(2, 0), steps=4, scales=(100, 500))
    slices, found = driven(xrai.run(probe, Inputs(x), params))
    expected = np.stack([W[c] * (x[0] ** 2 - 255**2 / 2) for c in (2, 0)])
    np.testing.assert_allclose(found.attribution.values, expected, rtol=1e-4)
    for own, gains, ranks in zip(expected.max(axis=-1), found.maps, found.ranks, strict=True):
        for rank in range(1, ranks.max() + 1):
            np.testing.assert_allclose(gains[ranks == rank], own[ranks == rank].mean(), rtol=1e-4)
    assert sum(probe.rows) == 16 == params.tries(published().description)
    assert (slices[-1].step, slices[-1].total) == (20, 20)
    photo = photo_of()
    output = xrai.draw(found, photo, params)
    facts = XraiFacts.model_validate(dict(output.facts))
    assert facts.segments == found.segments
    assert facts.regions == tuple(found.ranks.max(axis=(1, 2)))
    pictures = by_name(output, photo)
    assert pictures["ranks"].shape == (2, 4, 6)
    assert pictures["best"].shape[1] > 3 * photo.image.shape[1], "three shares stand side by side"


def test_an_even_rule_counts_both_ends() -> None:
    points, weights = xrai.points_and_weights("even", 5)
    assert points.tolist() == [0, 0.25, 0.5, 0.75, 1]
    assert weights.tolist() == [0.2] * 5


def test_numbers_of_pixels_follow_the_size_of_the_input() -> None:
    assert (Xrai().dilation_radius(224, 300), Xrai().fewest_pixels(224, 224)) == (5, 50)
    assert (Xrai().dilation_radius(448, 448), Xrai().fewest_pixels(448, 448)) == (10, 200)
    assert (Xrai(dilation=3).dilation_radius(448, 448), Xrai(min_pixels=7).fewest_pixels(448, 448)) == (3, 7)
    with pytest.raises(LimitExceeded, match="at most 100 gradients, got 200"):
        Xrai().resolve(published(), MethodLimits(max_masks=100))
