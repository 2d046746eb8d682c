"""The parameters and artifacts that methods share which cover the cells of a grid by many masks: `sobol` and `hsic`."""

from __future__ import annotations

from pydantic import Field

from schemas.methods.card import ArtifactSpec
from schemas.methods.colormap import Colormap
from schemas.methods.heat import HEAT_ALPHA, HEAT_COLORMAP
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
    colormap: Colormap = HEAT_COLORMAP
    alpha: float = HEAT_ALPHA
