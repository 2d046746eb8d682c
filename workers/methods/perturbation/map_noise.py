"""Find out how much of a map is noise, and draw a map that is mostly noise so that nobody takes it for a finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from jaxtyping import Float64

from schemas.methods.facts import Prediction
from schemas.methods.perturbation.agreement import NOISY
from workers.methods.class_scores import class_name

MOSTLY_NOISE = "mostly noise, drawn in few colours"
_LEAST = 0.25  # no map takes a smaller share of the colours

Agreement = tuple[float | None, ...]
"""For each class the correlation of the maps of two halves of the masks, as `agreements` returns it."""


def agreements(first: Float64[np.ndarray, "n ..."], second: Float64[np.ndarray, "n ..."]) -> Agreement:
    """Return the correlation (-1 to 1) of two maps over their positions, for each class. It is None if a map is the same everywhere."""
    found: list[float | None] = []
    for one, other in zip(first.reshape(len(first), -1), second.reshape(len(second), -1), strict=True):
        a, b = one - one.mean(), other - other.mean()
        length = float(np.sqrt((a @ a) * (b @ b)))
        found.append(float(a @ b) / length if length > 0 else None)
    return tuple(found)


def noise_options(classes: Sequence[Prediction], agreement: Agreement) -> dict[str, Any]:
    """Return the options of `MapsOnPhoto` for maps of which some are mostly noise. They are empty if none is.

    A map with the agreement r below `NOISY` takes the share r / `NOISY` of the colours, but at least a quarter.
    """
    names = [class_name(scored) for scored, found in zip(classes, agreement, strict=True) if _is_noisy(found)]
    if not names:
        return {}
    shares = tuple(max(_LEAST, (found or 0.0) / NOISY) if _is_noisy(found) else 1.0 for found in agreement)
    return {"contrasts": shares, "remark": MOSTLY_NOISE if len(classes) == 1 else f"{MOSTLY_NOISE}: {', '.join(names)}"}


def noise_warnings(classes: Sequence[Prediction], agreement: Agreement, halves: str, advice: str) -> Iterator[str]:
    """Yield a warning for each map that is mostly noise.

    Args:
        classes: the classes of the maps.
        agreement: the agreement of each map.
        halves: what was halved, for example "masks".
        advice: the sentence that ends the warning.
    """
    for scored, found in zip(classes, agreement, strict=True):
        if _is_noisy(found):
            yield (
                f"{class_name(scored)}: the map is mostly noise, because the maps of two halves of the {halves} correlate by {found:.2f} "
                f"only. It is drawn faintly and in few colours. {advice}"
            )


def _is_noisy(found: float | None) -> bool:
    return found is not None and found < NOISY
