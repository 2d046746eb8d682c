"""The parameters of `activation_atlas`: a map of what a layer sees in a set of photos, drawn by feature visualisation."""

from __future__ import annotations

import math
from typing import ClassVar

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.concepts.atlas_facts import ActivationAtlasFacts
from schemas.methods.several_images import ImagesParams
from schemas.methods.synthesis.ascent_params import AscentParams
from schemas.methods.synthesis.check_limit import check_limit
from schemas.methods.synthesis.drawn_channels import check_drawn_channels
from schemas.methods.target_layer import default_layer, mapped_layer
from schemas.models import Layer, LayerPath, PublishedModel

MOST_ACTIVATIONS = 16_384
"""One atlas lays out at most so many activations."""
MOST_COLUMNS = 10  # unless the caller asks for more
_FOR_EACH_CELL = 8  # the mean number of activations for each cell of the grid, unless the caller asks for other columns
_LEAST = 3


def default_columns(activations: int) -> int:
    """Return the number of columns, and of rows, for so many activations: there are 8 or more for each cell, and at most 10 columns.

    With fewer than 8 activations, there is one column.
    """
    return min(MOST_COLUMNS, max(1, math.isqrt(activations // _FOR_EACH_CELL)))


def default_least(activations: int, columns: int) -> int:
    """Return the number of activations that a cell needs: 3, or less if the cells have fewer on average. Some cell always has as many."""
    return min(_LEAST, -(-activations // columns**2))


class ActivationAtlas(AscentParams, ImagesParams):
    """A grid over the activations of a set of photos, in which each cell shows what its mean activation stands for."""

    card: ClassVar[MethodCard] = MethodCard(
        name="activation_atlas",
        title="Activation atlas",
        summary=(
            "This shows what a layer sees in a set of photos, on one map. Like activations lie near each other, and each cell of the map "
            "is an image that feature visualisation makes for the mean activation there."
        ),
        reference="Carter et al., Activation Atlas, Distill 2019, doi:10.23915/distill.00015",
        formula=(
            "each position of each photo is an activation a of K channels; the axes are the first two principal components of all a / ‖a‖; "
            "the image of a cell is argmax_x A(x)·d · max(cos(A(x), d), 0.1)^power at the middle of the map, where d is the mean of the "
            "cell's a, divided by its length"
        ),
        cost=(
            "Up to two forward passes for each photo, and `steps` steps of gradient ascent for each cell, 16 cells at a time. Finished "
            "images are kept, so a job that was stopped goes on where it was if it is submitted again."
        ),
        how_to_read=(
            "Walk over the map: neighbouring images show what the layer treats alike, and how one thing turns into another. The larger an "
            "image is, the more activations are in its cell; the scale below has the numbers. The words below an image are the class that "
            "the model would answer if the whole layer were like the cell. The picture `examples` has the same grid with the part of a "
            "photo in each cell, so that you can check what an image stands for."
        ),
        when_it_misleads=(
            "The two axes show only a part of the variance, so activations that differ may share a cell, and then its image mixes them. "
            "The map knows nothing but your photos: a few photos give a few cells, and what is not in the photos is not on the map. Each "
            "image is one answer of many that the ascent could give."
        ),
        needs_image=False,
        lane="slow",
        artifacts=(
            ArtifactSpec("atlas", "image", "This shows the images of the cells, larger where more activations are.", primary=True),
            ArtifactSpec(
                "examples",
                "image",
                "This has the same grid, with the part of a photo around the activation that is most like the cell's mean.",
            ),
            ArtifactSpec("tiles", "array", "These are the images of the cells, (cells, height, width, 3) uint8 RGB."),
            ArtifactSpec("cells", "array", "This is the row, the column and the number of activations of each cell, (cells, 3) int32."),
            ArtifactSpec("vectors", "array", "These are the mean activations of the cells (cells, channels) float32."),
            ArtifactSpec("coordinates", "array", "These are the coordinates (activations, 2) float32 of all activations on the two axes."),
            ArtifactSpec(
                "places",
                "array",
                "These are the photo's place in `images`, the row and the column in the layer's map, and the number of the cell (or −1 if "
                "it is not drawn) of each activation, (activations, 4) int32.",
            ),
        ),
        facts=ActivationAtlasFacts,
        example={"images": [f"img_{digit * 64}" for digit in "abc"], "layer": None, "columns": 2, "size": 32, "steps": 8},
    )

    layer: LayerPath | None = Field(
        default=None, description="This is the path of the layer. If it is null, the model's default target layer is used."
    )
    columns: int | None = Field(
        default=None,
        ge=1,
        le=32,
        description=(
            "The grid has so many columns and as many rows. If it is null, there are so many that a cell has 8 activations on average, but "
            f"at most {MOST_COLUMNS}."
        ),
    )
    min_activations: int | None = Field(
        default=None,
        ge=1,
        description=(
            f"A cell with fewer activations stays empty. If it is null, this is {_LEAST}, or less if the cells have fewer on average."
        ),
    )
    per_image: int | None = Field(
        default=None,
        ge=1,
        le=MOST_ACTIVATIONS,
        description=(
            "So many positions of each photo are taken at random, or all if its map has no more. `seed` decides which. If it is null, all "
            f"are taken, or as many as make {MOST_ACTIVATIONS:,} in all."
        ),
    )
    power: float = Field(
        default=2,
        ge=0,
        le=8,
        description="This is the exponent of the cosine. The larger it is, the less an image shows beside the direction of its cell.",
    )
    whiten: bool = Field(
        default=False,
        description=(
            "If it is true, the direction is the mean activation divided by the correlations of all channels, so that what all activations "
            "have in common counts less."
        ),
    )
    annotate: bool = Field(
        default=True, description="If it is true, the pictures have a title, the classes of the cells, and a scale. Else they are bare."
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> ActivationAtlas:
        self.check_count(limits)
        check_drawn_channels(model)
        layer = mapped_layer(model, self.layer or default_layer(model))
        values = self.preset_values(model, (layer.path,)) | {"layer": layer.path, "columns": self.columns}
        resolved = self.changed(**values)
        resolved.check_ascent(limits)
        asked = len(self.images) * min(self.per_image or 1, _positions(layer))
        check_limit("number of activations of all images", asked, MOST_ACTIVATIONS, "/params/per_image")
        cells = resolved._most_cells(layer)
        check_limit("number of cells", cells, limits.max_filters, "/params/columns")
        work = resolved.pixels() * (resolved.steps or 0) * cells
        check_limit("product height × width × steps × cells", work, limits.max_synthesis_work, "/params")
        return resolved

    def positions_of_each(self) -> int:
        """Return the number of positions that are taken from each photo, if its map has as many."""
        return self.per_image or max(1, MOST_ACTIVATIONS // len(self.images))

    def _most_cells(self, layer: Layer) -> int:
        """Return the largest number of cells that can have an image."""
        activations = len(self.images) * min(self.positions_of_each(), _positions(layer))
        columns = self.columns or default_columns(activations)
        return min(columns**2, activations // (self.min_activations or default_least(activations, columns)))


def _positions(layer: Layer) -> int:
    """Return the number of positions of a layer's map. A map whose size is not known may have as many as an atlas can take."""
    if layer.token_grid is not None:
        return layer.token_grid.height * layer.token_grid.width
    height, width = layer.output_shape[:2]
    return height * width if height and width else MOST_ACTIVATIONS
