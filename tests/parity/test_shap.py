"""Partition SHAP is compared with `PartitionExplainer` and the image maskers of the package shap."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from tests.parity.twins import SIZE, TOLERANCE, difference, twins
from workers.contract.colours import normalise

with warnings.catch_warnings():
    # The colours of shap 0.51 are made with a function that Matplotlib 3.11 will give up.
    warnings.simplefilter("ignore", PendingDeprecationWarning)
    import shap

CLASSES = (4, 0)
PIXELS = np.random.default_rng(11).integers(0, 256, (*SIZE, 3)).astype(np.float64)


def logits(pixels: np.ndarray) -> np.ndarray:
    """Return the logits of pixels from 0 to 255, as the peer asks for them."""
    probe = twins().probe
    found = probe.forward(normalise(pixels.astype(np.float32), probe.description.preprocessing), scores=True)
    assert found.logits is not None
    return found.logits.astype(np.float64)


@pytest.mark.parametrize(
    ("baseline", "masker", "samples", "batch_size"),
    [
        ("blur", "blur(7,7)", 402, 10),
        ("blur", "blur(128,128)", 100, 50),
        ("inpaint_telea", "inpaint_telea", 160, 10),
        ("inpaint_ns", "inpaint_ns", 160, 2),
        # the input has 702 values, so this divides parts down to single channels
        ("blur", "blur(5,5)", 3000, 10),
    ],
)
def test_owen_values_of_two_classes(baseline: str, masker: str, samples: int, batch_size: int) -> None:
    peer = shap.PartitionExplainer(logits, shap.maskers.Image(masker, PIXELS.shape))
    expected = peer(PIXELS[None], max_evals=samples, batch_size=batch_size, outputs=list(CLASSES), silent=True)
    probe = twins().probe
    tensor = normalise(PIXELS.astype(np.float32), probe.description.preprocessing)[None]
    side = int(masker.removeprefix("blur(").partition(",")[0]) if baseline == "blur" else None
    (found,) = twins().run(
        "partition_shap", tensor, class_index=CLASSES, baseline=baseline, blur=side, samples=samples, batch_size=batch_size
    )
    assert difference(found.attribution, np.moveaxis(expected.values[0], -1, 0)) < TOLERANCE
    np.testing.assert_allclose(found.facts["base_scores"], expected.base_values[0], rtol=1e-4)
    assert found.masks == samples
    assert (found.facts["smallest_region"] == 1) == (samples > 1000)
