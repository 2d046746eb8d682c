"""XRAI is compared with its authors' code in PAIR saliency, from the segments to the regions."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from saliency.core import xrai as pair_xrai

from schemas.methods.gradients.xrai import Xrai
from tests.parity.peers import pair_saliency
from tests.parity.twins import CLASSES, SIZE, TOLERANCE, difference, finished, twins
from workers.contract.colours import normalise
from workers.methods.gradients.graph_segments import graph_segments
from workers.methods.gradients.ranked_regions import ranked_regions


def photo(height: int, width: int) -> np.ndarray:
    """Return a picture uint8 RGB with shapes of several sizes."""
    noise = np.random.default_rng(8).integers(0, 256, (height, width, 3)).astype(np.float32)
    sizes = (height / 6, height / 20, height / 60)
    mixed = np.sum([cv2.GaussianBlur(noise, (0, 0), size) * size for size in sizes], axis=0)
    return cv2.normalize(mixed, None, 3, 250, cv2.NORM_MINMAX).astype(np.uint8)


def segments_of(image: np.ndarray, radius: int) -> np.ndarray:
    return finished(graph_segments(image, pair_xrai._FELZENSZWALB_SCALE_VALUES, radius))


@pytest.mark.parametrize(("size", "radius"), [((224, 224), 5), ((150, 230), 3)])
def test_segments(size: tuple[int, int], radius: int) -> None:
    image = photo(*size)
    expected = pair_xrai._get_segments_felzenszwalb(image.astype(np.float64), dilation_rad=radius)
    found = segments_of(image, radius)
    assert len(found) > 50
    np.testing.assert_array_equal(found, np.stack(expected))


@pytest.mark.parametrize("area", [1.0, 0.4])
def test_regions(area: float) -> None:
    image = photo(120, 150)
    segments = segments_of(image, 2)
    attribution = cv2.GaussianBlur(np.random.default_rng(4).normal(size=(120, 150)), (0, 0), 3)
    gains, ranks = pair_xrai.XRAI._xrai(attribution, list(segments), area_perc_th=area, min_pixel_diff=20)
    found = finished(ranked_regions(attribution, segments, min_pixels=20, area=area))
    assert found.count > 5
    np.testing.assert_allclose(found.gains, gains, rtol=1e-9)
    np.testing.assert_array_equal(found.ranks, ranks)


def gradients_of(row: int) -> Any:
    """Return what the peer calls for the gradients of our model at a batch of inputs."""

    def call(batch: np.ndarray, call_model_args: Any = None, expected_keys: Any = None) -> dict[str, np.ndarray]:
        found = twins().probe.input_gradients(batch.astype(np.float32), np.full(len(batch), CLASSES[row], np.int32))
        return {pair_saliency.INPUT_OUTPUT_GRADIENTS: found.gradients.astype(np.float64)}

    return call


def test_the_whole_method() -> None:
    pixels = np.stack([photo(13 + number, 18)[:13] for number in range(3)])
    # The peer takes the smallest and the largest value of the input as its baselines. With these pixels they are black and white.
    pixels[:, 0, 0], pixels[:, 0, 1] = 0, 255
    tensor = normalise(pixels, twins().probe.description.preprocessing)
    assert list(Xrai().scales) == pair_xrai._FELZENSZWALB_SCALE_VALUES
    given = {"steps": 20, "rule": "even", "dilation": 5, "min_pixels": 50}
    for row, found in enumerate(twins().run("xrai", tensor, **given)):
        peer = pair_saliency.XRAI()
        options = pair_xrai.XRAIParameters(steps=20, return_xrai_segments=True, return_ig_attributions=True)
        expected = peer.GetMaskWithDetails(tensor[row], gradients_of(row), batch_size=20, extra_parameters=options)
        assert found.maps.shape == (1, *SIZE)
        assert difference(found.attribution.values[0], np.mean(expected.ig_attribution, axis=0)) < TOLERANCE
        assert difference(found.maps[0], expected.attribution_mask) < TOLERANCE
        np.testing.assert_array_equal(found.ranks[0], expected.segments)
