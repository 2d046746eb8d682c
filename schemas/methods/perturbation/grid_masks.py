"""The parameters and artifacts that methods share which cover the cells of a grid by many masks: `sobol` and `hsic`."""

from __future__ import annotations

from pydantic import Field

from schemas.methods.card import ArtifactSpec
from schemas.methods.colormap import Colormap
from schemas.methods.perturbation.base import PERTURBATION_ARTIFACTS, Baseline, PerturbationParams

GRID_ARTIFACTS = (
    *PERTURBATION_ARTIFACTS,
    ArtifactSpec("cells", "array", "This is the value of each cell of the grid, (g, g) float32, or (n, g, g) for a list of n classes."),
)


class GridMaskParams(PerturbationParams):
    """Parameters of a method that divides the image into the cells of a grid and covers them by many masks."""

    cells: int = Field(
        default=8, ge=2, le=16, description="The image is divided into this number of cells, down and across. More cells need more masks."
    )
    baseline: Baseline = Field(
        default="mean", description="This covers the cells: the `mean` colour of the image, `black`, `white`, or the image `blurred`."
    )
    seed: int = Field(default=0, ge=0, lt=2**31, description="This is the seed of the masks. The same seed gives the same map.")
    colormap: Colormap = Field(default="turbo", description="The heatmap has the colours of this colormap.")
    alpha: float = Field(
        default=0.6,
        ge=0,
        le=1,
        description=(
            "This is the weight of the heatmap in the overlay, 0-1, where the heat is at least half of its maximum. It falls with the heat."
        ),
    )
