"""Occlusion on a linear model, where the effect of a covered window can be worked by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rendering import colormaps
from rendering.photo import Photo, Placement
from schemas.errors import NonFinite
from schemas.limits import MethodLimits
from schemas.methods.perturbation.occlusion import Occlusion
from schemas.models import Preprocessing
from tests.drawn import drawn
from tests.workers.methods.linear import LinearProbe, driven
from tests.workers.methods.support import batch, photo_of, softmax
from workers.contract.artifacts import Picture
from workers.contract.inputs import Inputs
from workers.methods import previews
from workers.methods.perturbation import occlusion
from workers.methods.perturbation.perturbation_result import PerturbationResult

RNG = np.random.default_rng(5)
WEIGHTS = RNG.integers(-3, 4, (3, 5, 7, 3)).astype(np.float32)
IMAGE = RNG.integers(-4, 5, (1, 5, 7, 3)).astype(np.float32)


def attribution(probe: LinearProbe, image: np.ndarray, **changes: object) -> PerturbationResult:
    params = Occlusion.model_validate({"baseline": "black", **changes}).resolve(probe.published, MethodLimits())
    return driven(occlusion.run(probe, Inputs(image), params))[1]


def test_windows_by_hand() -> None:
    # down: a side of 5 with windows of 2 every 2 gives 0–2, 2–4, and 4–6 cut off at 5; across: one window of 3 fills the side of 3
    assert occlusion.windows((5, 3), (2, 3), (2, 1)).tolist() == [[[0, 2], [0, 3]], [[2, 4], [0, 3]], [[4, 5], [0, 3]]]
    assert occlusion.windows((1, 4), (1, 2), (1, 1)).tolist() == [[[0, 1], [0, 2]], [[0, 1], [1, 3]], [[0, 1], [2, 4]]]


@pytest.mark.parametrize(
    ("window", "stride", "expected"),
    [
        # windows 0–2 and 1–3: the score drops by 1·1 + 2·1 = 3 and by 2 + 4 = 6; both cover the middle
        ((1, 2), (1, 1), [3, 4.5, 6]),
        # windows 0–2, and 2–4 cut off at 3: the score drops by 3 and by 4
        ((1, 2), (1, 2), [3, 3, 4]),
        ((1, 3), (1, 1), [7, 7, 7]),
    ],
)
def test_a_row_by_hand(window: tuple[int, int], stride: tuple[int, int], expected: list[float]) -> None:
    probe, image = LinearProbe(np.ones((2, 1, 3, 1))), np.array([1, 2, 4], np.float32).reshape(1, 1, 3, 1)
    found = attribution(probe, image, window=window, stride=stride, class_index=1)
    np.testing.assert_array_equal(found.maps, [[expected]])


@pytest.mark.parametrize(("window", "stride"), [((2, 3), (1, 2)), ((2, 3), (2, 3)), ((4, 2), (3, 1)), ((1, 1), (1, 1))])
def test_a_linear_model_by_plain_loops(window: tuple[int, int], stride: tuple[int, int]) -> None:
    found = attribution(LinearProbe(WEIGHTS), IMAGE, window=window, stride=stride, class_index=(2, 0))
    for row, chosen in enumerate((2, 0)):
        sums, coverage = np.zeros((5, 7)), np.zeros((5, 7))
        for down in range(math.ceil((5 - window[0]) / stride[0]) + 1):
            for across in range(math.ceil((7 - window[1]) / stride[1]) + 1):
                top, left = down * stride[0], across * stride[1]
                inside = np.zeros((5, 7), bool)
                inside[top : top + window[0], left : left + window[1]] = True
                sums[inside] += (WEIGHTS[chosen] * IMAGE[0]).sum(axis=-1)[inside].sum()
                coverage[inside] += 1
        assert coverage.min() >= 1
        np.testing.assert_allclose(found.maps[row], sums / coverage, rtol=1e-6)
    assert [scored.class_index for scored in found.classes] == [2, 0]
    assert found.listed
    assert found.masks == len(occlusion.windows((5, 7), window, stride))


@pytest.mark.parametrize("baseline", ["mean", "black", "white", "blurred"])
def test_each_baseline_covers_the_window(baseline: str) -> None:
    """With one window over the whole image, the drop is the score of the image minus the score of the cover."""
    spec = Preprocessing(mode="custom", mean=(100.0, 50.0, 25.0), std=(50.0,))
    found = attribution(LinearProbe(WEIGHTS, spec), IMAGE, baseline=baseline, window=(5, 7), class_index=1)
    cover = {
        "mean": IMAGE[0].mean(axis=(0, 1)),
        "black": np.array([-2, -1, -0.5]),
        "white": np.array([155, 205, 230]) / 50,
    }
    if baseline == "blurred":
        assert np.ptp(found.maps) == 0
        assert abs(float(found.maps[0, 0, 0])) > 1  # the cover is not the image itself
        return
    fall = (WEIGHTS[1] * (IMAGE[0] - cover[baseline])).sum()
    np.testing.assert_allclose(found.maps, np.full((1, 5, 7), fall), rtol=1e-5)


def test_the_probability_is_watched_if_asked_for() -> None:
    probe, image = LinearProbe(WEIGHTS / 20), IMAGE
    found = attribution(probe, image, window=(5, 4), stride=(5, 4), score="probability", class_index=1)
    whole = softmax(probe._logits(image))[0, 1]
    left, right = image.copy(), image.copy()
    left[:, :, :4], right[:, :, 4:] = 0, 0
    expected = [whole - softmax(probe._logits(covered))[0, 1] for covered in (left, right)]
    np.testing.assert_allclose(found.maps[0, 0], [expected[0]] * 4 + [expected[1]] * 3, rtol=1e-4)


def test_the_top_class_is_explained_if_no_class_is_given() -> None:
    probe, tensor = LinearProbe(WEIGHTS), IMAGE
    found = attribution(probe, tensor)
    (scored,) = found.classes
    assert scored.class_index == probe._logits(tensor)[0].argmax()
    assert not found.listed


def test_each_pass_ends_with_a_slice_that_has_progress_and_a_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LinearProbe, "per_pass", 4)
    monkeypatch.setattr(previews, "PREVIEW_SECONDS", 0)
    probe = LinearProbe(WEIGHTS)
    params = Occlusion(window=2, stride=2, class_index=0).resolve(probe.published, MethodLimits())
    slices, found = driven(occlusion.run(probe, Inputs(IMAGE), params))
    assert [(each.step, each.total) for each in slices] == [(0, 12), (4, 12), (8, 12), (12, 12)]
    assert probe.calls == [1, 4, 4, 4]
    assert all(each.preview is not None and each.preview.shape == (5, 7, 3) for each in slices)
    whole = driven(occlusion.run(LinearProbe(WEIGHTS), Inputs(IMAGE), params))[1]
    np.testing.assert_array_equal(found.maps, whole.maps)


def test_signed_maps_are_drawn_red_and_blue_in_the_right_places() -> None:
    probe = LinearProbe(np.where(np.arange(6) < 3, 1.0, -1.0).reshape(1, 1, 6, 1) * np.ones((1, 4, 6, 3)))
    params = Occlusion(window=1, baseline="black", alpha=1).resolve(probe.published, MethodLimits())
    photo = photo_of()
    output = occlusion.draw(driven(occlusion.run(probe, Inputs(np.ones((1, 4, 6, 3), np.float32)), params))[1], photo, params)
    heatmap, overlay = (
        a.image for name in ("heatmap", "overlay") for a in drawn(output).artifacts if isinstance(a, Picture) and a.name == name
    )
    for picture in (heatmap, overlay):
        np.testing.assert_array_equal(picture[:, :5], np.broadcast_to(colormaps.ABOVE, (8, 5, 3)))
        np.testing.assert_array_equal(picture[:, 7:], np.broadcast_to(colormaps.BELOW, (8, 5, 3)))
    assert output.warnings == ()


@pytest.mark.parametrize(
    ("weights", "image"),
    [(WEIGHTS, np.full((1, 5, 7, 3), 0.7, np.float32)), (np.zeros_like(WEIGHTS), IMAGE)],
    ids=["a constant image under its own mean", "a class with zero weights"],
)
def test_rounding_makes_no_map(weights: np.ndarray, image: np.ndarray) -> None:
    found = attribution(LinearProbe(weights), image, baseline="mean", class_index=(0, 1, 2))
    assert not found.maps.any()
    photo = Photo(np.full((8, 12, 3), 9, np.uint8), Placement((5, 7), (0, 0, 5, 7), (0, 0, 8, 12)))
    output = occlusion.draw(found, photo, Occlusion(class_index=(0, 1, 2)))
    assert len(output.warnings) == 3
    assert output.warnings[0] == "tench (0): the map is zero everywhere; it is drawn as zeros."


def test_a_side_of_one_pixel() -> None:
    weights, image = WEIGHTS[:, :1], IMAGE[:, :1]
    found = attribution(LinearProbe(weights), image, class_index=1, window=(1, 1))
    np.testing.assert_allclose(found.maps[0], (weights[1] * image[0]).sum(axis=-1))


def test_scores_that_are_not_finite_fail_the_job() -> None:
    image = IMAGE.copy()
    image[0, 2, 3, 1] = np.nan
    found = attribution(LinearProbe(WEIGHTS), image, class_index=1)
    with pytest.raises(NonFinite, match="class 1"):
        occlusion.draw(found, photo_of(), Occlusion(class_index=1))


def test_different_images_give_different_maps() -> None:
    weights = RNG.normal(size=(3, 4, 6, 3))
    results = [attribution(LinearProbe(weights), tensor[None], class_index=0).maps for tensor in batch(3)]
    assert len({maps.tobytes() for maps in results}) == 3
