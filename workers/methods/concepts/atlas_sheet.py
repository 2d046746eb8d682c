"""The pictures and the facts of `activation_atlas`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import UInt8

from rendering.charts.sized_tiles import SizedTile, size_scale, sized_tiles
from rendering.drawings.synthesised_image import dead_tile
from rendering.photo import Photo
from rendering.text import line
from rendering.titles import titled
from schemas.methods.concepts.activation_atlas import ActivationAtlas
from schemas.methods.concepts.atlas_facts import ActivationAtlasFacts, AtlasCell
from schemas.methods.facts import Prediction
from workers.contract.artifacts import Array, Output, Picture
from workers.methods.class_scores import class_name
from workers.methods.concepts.atlas_result import AtlasResult

WIDTH = 1600  # pixels that the cells have at most
LARGEST, SMALLEST, NARROWEST = 150, 24, 720  # the side of a cell in pixels, at most and at least, and the width of a sheet with a title
LEAST_SHARE = 0.45  # the side of the smallest image as a share of the largest
SIDE_WITH_WORDS = 72  # words do not fit below a smaller cell
MOST_PHOTOS = 3
LITTLE = 0.2
"""A warning says so if the two axes explain less than this share of the variance."""


def draw(result: AtlasResult, photo: Photo | None, params: ActivationAtlas) -> Output:
    """Return the atlas, the examples, the images of the cells, the arrays and the facts."""
    del photo
    grid = result.grid
    facts = ActivationAtlasFacts(
        layer=params.layer or "",
        activations=len(result.places),
        columns=grid.columns,
        min_activations=grid.least,
        cells=tuple(_cell(result, number) for number in range(len(grid.cells))),
        cells_with_too_few=grid.too_few,
        left_out=int((grid.members < 0).sum()),
        explained_variance=grid.explained,
        labelled=result.classes is not None,
        reused=result.reused,
    )
    dead = dead_tile(*result.tiles.shape[1:3])
    images = [picture if seen else dead for picture, seen in zip(result.tiles, result.seen, strict=True)]
    return Output(
        (
            Picture("atlas", _sheet(result, facts, params, images), primary=True),
            Picture("examples", _sheet(result, facts, params, result.patches, examples=True)),
            Array("tiles", result.tiles),
            Array("cells", grid.cells),
            Array("vectors", result.means),
            Array("coordinates", grid.coordinates),
            Array("places", result.places),
        ),
        facts,
        tuple(_warnings(result, facts)),
    )


def _cell(result: AtlasResult, number: int) -> AtlasCell:
    row, column, count = (int(each) for each in result.grid.cells[number])
    photos, counts = np.unique(result.places[result.places[:, 3] == number, 0], return_counts=True)
    order = np.argsort(-counts, kind="stable")[:MOST_PHOTOS]
    return AtlasCell(
        row=row,
        column=column,
        activations=count,
        images=tuple(int(each) for each in photos[order]),
        classes=() if result.classes is None else result.classes[number],
    )


def size_share(count: int, least: int, most: int) -> float:
    """Return the side of a cell's image as a share of the largest. It grows with the logarithm of the number of activations."""
    return 1.0 if most <= least else LEAST_SHARE + (1 - LEAST_SHARE) * math.log(count / least) / math.log(most / least)


def short_name(scored: Prediction) -> str:
    """Return a class in few words: of "tabby, tabby cat", which names it twice, "tabby (281)"."""
    return class_name(scored.model_copy(update={"label": scored.label and scored.label.split(",")[0]}))


def _sheet(
    result: AtlasResult,
    facts: ActivationAtlasFacts,
    params: ActivationAtlas,
    pictures: Sequence[UInt8[np.ndarray, "_ _ 3"]],
    *,
    examples: bool = False,
) -> UInt8[np.ndarray, "H W 3"]:
    """Return a grid of pictures, one for each cell, with its title, its scale and a line about the cells. Examples have no classes."""
    counts, columns = [each.activations for each in facts.cells], [each.column for each in facts.cells]
    side = min(LARGEST, max(SMALLEST, WIDTH // (max(columns) - min(columns) + 1)))
    worded = params.annotate and not examples and side >= SIDE_WITH_WORDS
    tiles = [
        SizedTile(
            picture,
            each.row,
            each.column,
            size_share(each.activations, min(counts), max(counts)),
            short_name(each.classes[0]) if worded and each.classes else "",
        )
        for picture, each in zip(pictures, facts.cells, strict=True)
        if picture.size
    ]
    drawn = sized_tiles(tiles, side)
    if not params.annotate:
        return drawn
    name = f"{ActivationAtlas.card.title}, parts of photos" if examples else ActivationAtlas.card.title
    sheet = titled(drawn, f"{name} · {result.model.description.name} · {facts.layer}", least=NARROWEST)
    sizes = sorted({min(counts), round((min(counts) * max(counts)) ** 0.5), max(counts)})
    scale = size_scale(
        [(size_share(each, min(counts), max(counts)), str(each)) for each in sizes], "activations in a cell:", side, sheet.shape[1]
    )
    return np.concatenate([sheet, scale, line(_cells_in_words(facts), sheet.shape[1], 12)])


def _cells_in_words(facts: ActivationAtlasFacts) -> str:
    across, up = (f"{each:.0%}" for each in facts.explained_variance)
    cells, grid = len(facts.cells), f"{facts.columns} × {facts.columns}"
    few = ""
    if facts.cells_with_too_few:
        verb = "stays" if facts.cells_with_too_few == 1 else "stay"
        few = f", {facts.cells_with_too_few} with fewer than {facts.min_activations} {verb} empty"
    return f"{facts.activations} activations · {cells} of {grid} cells drawn{few} · explained variance: across {across}, up {up}"


def _warnings(result: AtlasResult, facts: ActivationAtlasFacts) -> Iterator[str]:
    if not result.means.any():
        yield f"Layer '{facts.layer}' is 0 at every position of these photos, so there is nothing to lay out."
    elif not any(facts.explained_variance):
        yield "All activations have the same direction, so all lie in one cell."
    elif sum(facts.explained_variance) < LITTLE:
        share = sum(facts.explained_variance)
        yield f"The two axes explain only {share:.0%} of the variance, so activations of one cell may differ much."
    if facts.cells_with_too_few:
        few = facts.cells_with_too_few
        cells = "1 cell stays empty because it has" if few == 1 else f"{few} cells stay empty because they have"
        where = f"{facts.left_out} of {facts.activations} activations are in such cells"
        yield f"{cells} fewer than {facts.min_activations} activations. {where}."
    if dead := int((~result.seen).sum()):
        yield f"No gradient ever reached the input for {dead} of {len(facts.cells)} cells: these are crossed."
    if result.classes is None:
        yield (
            f"The cells have no classes: the model's class scores do not depend on the mean of layer '{facts.layer}' over its positions "
            "alone."
        )
