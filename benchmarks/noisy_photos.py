"""Photos that differ from each other, so that no result of an earlier one is reused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

_SAMPLE = Path(__file__).parents[1] / "samples" / "cat.jpg"


def noisy_photos(count: int, seed: int) -> list[bytes]:
    """Return JPEG files of the sample `cat.jpg` (451 × 300), each with noise of its own. Another seed gives other photos."""
    sample = cv2.imread(str(_SAMPLE)).astype(np.int16)
    random = np.random.default_rng(seed)
    noisy = (np.clip(sample + random.integers(-3, 4, sample.shape, np.int16), 0, 255).astype(np.uint8) for _ in range(count))
    return [cv2.imencode(".jpg", picture)[1].tobytes() for picture in noisy]
