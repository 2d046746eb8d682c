"""The fact that says how much of a map is noise, for methods whose masks or samples are random."""

from __future__ import annotations

from pydantic import Field

from schemas.methods.perturbation.base import PerturbationFacts

NOISY = 0.5
"""A map is mostly noise if the maps of two halves of the masks correlate by less than this."""


class AgreementFacts(PerturbationFacts):
    """Says how far the map can be trusted, beside the classes that are explained."""

    agreement: tuple[float | None, ...] = Field(
        description=(
            "This is the correlation of the map of one half of the masks with that of the other half, for each class. Near 1 the map is "
            "settled, and below 0.5 it is mostly noise. It is null if a map is the same everywhere, or if nothing was left to chance."
        )
    )
