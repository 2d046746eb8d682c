"""Warnings about maps without contrast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Float32

from rendering import scaling
from schemas.methods.facts import Prediction
from workers.methods.class_scores import class_name


def degenerate_map_warnings(classes: Sequence[Prediction], maps: Float32[np.ndarray, "n h w"], layer: str | None = None) -> Iterator[str]:
    """Yield a warning for each class whose map cannot be scaled.

    Args:
        classes: the n classes of the maps.
        layer: the layer of the maps, which the warning then names.
    """
    at_layer = "" if layer is None else f" at layer '{layer}'"
    for scored, values in zip(classes, maps, strict=True):
        if why := scaling.why_degenerate(values):
            yield f"{class_name(scored)}: the map{at_layer} is {why}; it is drawn as zeros."
