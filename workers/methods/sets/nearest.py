"""Find the photos of a set whose activations at a layer lie nearest to those of a query.

Source: Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks, 2012, figure 4.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from rendering.patch_rows import PatchRow, patch_sheet
from rendering.photo import Photo
from rendering.sheets import photo_within
from rendering.side_by_side import CaptionedPicture
from schemas.methods.sets.nearest import Metric, Nearest, NearestFacts, Neighbour
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.photo_labels import photo_label
from workers.methods.sets.photo_features import photo_features, pooled

BOX = (150, 180)  # height and width of a tile, in pixels
COLUMNS = 5


@dataclass(frozen=True)
class NearestResult:
    """The vector of the query, the distances of the n photos of the set, these photos, and the name of the model."""

    query: Float32[np.ndarray, " d"]
    distances: Float64[np.ndarray, " n"]
    photos: tuple[Photo, ...]
    zeros: int
    model: str


def distances(query: Float32[np.ndarray, " d"], others: Float32[np.ndarray, "n d"], metric: Metric) -> Float64[np.ndarray, " n"]:
    """Return the distance of each row from the query.

    The cosine distance is 1 minus the cosine of the angle between two vectors, 0 to 2. A vector of zeros has no direction, so its cosine
    with any other is taken to be 0.
    """
    first, second = query.astype(np.float64), others.astype(np.float64)
    if metric == "euclidean":
        return np.linalg.norm(second - first, axis=1)
    lengths = np.linalg.norm(second, axis=1) * np.linalg.norm(first)
    products = second @ first
    cosines = np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 0)
    return np.clip(1 - cosines, 0, 2)


def run(probe: Probe, inputs: Inputs, params: Nearest) -> Generator[Slice, None, NearestResult]:
    """Return the distances of all photos, in slices of one pass.

    Raises:
        NonFinite: The activations of a photo are not finite. The error names the photo by its number.
    """
    layer, total = params.layer or "", 1 + len(inputs.several)
    query = pooled(probe.forward(inputs.tensor, [layer], precision=params.precision).activations[layer], params.pool)[0]
    yield Slice(1, total)
    others = yield from photo_features(probe, inputs.several, params, before=1, total=total)
    zeros = int((~others.any(axis=1)).sum()) + int(not query.any())
    photos = tuple(each.photo for each in inputs.several)
    return NearestResult(query, distances(query, others, params.metric), photos, zeros, probe.description.name)


def draw(result: NearestResult, photo: Photo, params: Nearest) -> Output:
    """Return a sheet of the query and the nearest photos, and all distances."""
    order = np.argsort(result.distances, kind="stable")[: params.count]
    facts = NearestFacts(
        layer=params.layer or "",
        metric=params.metric,
        dimensions=len(result.query),
        neighbours=tuple(
            Neighbour(image=params.images[number], number=int(number), distance=float(result.distances[number])) for number in order
        ),
        median_distance=float(np.median(result.distances)),
    )
    tiles = [CaptionedPicture("query", photo_within(photo, *BOX).image)]
    tiles += [
        CaptionedPicture(f"{photo_label(params, each.number)} · {each.distance:.3f}", photo_within(result.photos[each.number], *BOX).image)
        for each in facts.neighbours
    ]
    rows = [PatchRow("", tuple(tiles[start : start + COLUMNS])) for start in range(0, len(tiles), COLUMNS)]
    title = (
        f"{Nearest.card.title} · {result.model} · {facts.layer} · {params.metric} distance · median of the set {facts.median_distance:.3f}"
    )
    sheet = patch_sheet(title, rows, min(COLUMNS, len(tiles)), "name or number of the photo · its distance from the query", BOX)
    artifacts = (
        Picture("sheet", sheet, primary=True),
        Array("distances", result.distances.astype(np.float32)),
        Array("query", result.query),
    )
    return Output(artifacts, facts, tuple(_warnings(result, params)))


def _warnings(result: NearestResult, params: Nearest) -> Iterator[str]:
    if params.metric == "cosine" and result.zeros:
        yield (
            f"The layer does not answer to {result.zeros} of the photos at all, so their vectors have no direction. Their cosine with any "
            "other is taken to be 0."
        )
    if len(result.distances) > 1 and np.ptp(result.distances) == 0:
        yield "All photos of the set are equally far from the query, so their order is that of `images`."
