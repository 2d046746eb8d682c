"""Max-sensitivity: how much does the map change when the image hardly changes? (Yeh et al., arXiv:1901.09392)"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32


def max_sensitivity(values: Float32[np.ndarray, "*axes"], disturbed: Sequence[Float32[np.ndarray, "*axes"]]) -> float | None:
    """Return the largest ‖disturbed − values‖ / ‖values‖, Euclidean. It is None if all values are 0.

    Args:
        values: the map of the image.
        disturbed: the maps of the disturbed images.
    """
    size = np.linalg.norm(values.astype(np.float64))
    return max(float(np.linalg.norm((each - values).astype(np.float64)) / size) for each in disturbed) if size else None
