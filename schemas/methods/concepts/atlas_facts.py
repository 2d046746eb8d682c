"""The facts of `activation_atlas`: the cells, and what they leave out."""

from __future__ import annotations

from pydantic import Field

from schemas.methods.facts import Facts, Prediction


class AtlasCell(Facts):
    """A cell of the atlas."""

    row: int = Field(description="This is the row of the cell, counted from 0 at the top.")
    column: int = Field(description="This is the column of the cell, counted from 0 on the left.")
    activations: int = Field(description="This is the number of activations in the cell.")
    images: tuple[int, ...] = Field(
        description="These are the places in `images` of up to three photos from which most of the activations are. The first has most."
    )
    classes: tuple[Prediction, ...] = Field(
        description="This is the top class if the layer had the cell's mean activation everywhere. There is none if `labelled` is false."
    )


class ActivationAtlasFacts(Facts):
    """The cells, and how much of the activations the two axes show."""

    layer: str = Field(description="This is the path of the layer.")
    activations: int = Field(description="This is the number of activations, one for each position that was taken from a photo.")
    columns: int = Field(description="This is the number of rows and of columns of the grid.")
    min_activations: int = Field(description="This is the number of activations that a cell needs to have an image.")
    cells: tuple[AtlasCell, ...] = Field(description="These are the cells that have an image, row by row.")
    cells_with_too_few: int = Field(
        description="This is the number of cells that stay empty because they have fewer than `min_activations`, but not none."
    )
    left_out: int = Field(description="This is the number of activations in these cells.")
    explained_variance: tuple[float, float] = Field(
        description="This is the share of the variance (0-1) of the activations, each divided by its length, that each axis explains."
    )
    labelled: bool = Field(
        description=(
            "It is true if the model's class scores depend only on the layer's mean over all positions, as with global average pooling "
            "and dense layers. Only then do the cells have classes."
        )
    )
    reused: int = Field(description="This is the number of cells whose images were taken over from earlier jobs.")
