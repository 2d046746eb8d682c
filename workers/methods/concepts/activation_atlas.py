"""An atlas of a layer's activations (Carter et al., Activation Atlas, Distill 2019, doi:10.23915/distill.00015)."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
from jaxtyping import Float32, Int32, UInt8

from rendering.photo import Photo
from rendering.placement import span_on_photo
from schemas.errors import InvalidParameters
from schemas.methods.concepts.activation_atlas import ActivationAtlas, default_columns, default_least
from schemas.methods.facts import Prediction
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Reusable, Slice
from workers.methods.concepts import atlas_sheet
from workers.methods.concepts.activation_grid import ActivationGrid, activation_grid, cell_means, directions, nearest_members
from workers.methods.concepts.atlas_result import AtlasResult
from workers.methods.concepts.cell_images import AtlasJob, cell_images, piece_name
from workers.methods.concepts.part_labels import classes_of_vectors, depends_on_the_mean_alone, has_classes_of
from workers.methods.inspection.photo_batches import forward_in_batches, these_photos
from workers.methods.map_places import photo_under
from workers.methods.token_maps import to_map

draw = atlas_sheet.draw
EXAMPLE = 0.3  # the side of an example, as a share of the shorter side of what the map lies over

Vectors = Float32[np.ndarray, "n k"]
MapPositions = Int32[np.ndarray, "n 3"]


def reusable(params: ActivationAtlas) -> Reusable:
    """Return the image of every cell as reusable. The cells of two jobs are the same if all but the drawing is."""
    return Reusable(params.model_dump_json(exclude={"annotate"}))


def run(probe: Probe, inputs: Inputs, params: ActivationAtlas) -> Generator[Slice, None, AtlasResult]:
    """Read the activations of all photos, lay a grid over them, and make an image for each cell.

    Raises:
        InvalidParameters: no cell has as many activations as `min_activations` asks for.
        NonFinite: the activations of a photo or an ascent are not finite.
    """
    job = AtlasJob(probe, inputs, params)
    activations, places, shapes = yield from _activations(job)
    columns = params.columns or default_columns(len(places))
    grid = activation_grid(activations, columns, params.min_activations or default_least(len(places), columns))
    _check_cells(grid, job)
    means = cell_means(activations, grid)
    classes = yield from _classes(job, means)
    towards = directions(means, activations, whiten=params.whiten)
    names = [piece_name(int(row), int(column)) for row, column, _ in grid.cells]
    made = yield from cell_images(job, dict(zip(names, towards, strict=True)))
    nearest = nearest_members(activations, grid, means)
    return AtlasResult(
        probe.published,
        grid,
        np.column_stack([places, grid.members]),
        means,
        made.pictures,
        made.seen,
        tuple(_example(job, places[each], shapes[places[each][0]]) for each in nearest),
        classes,
        made.reused,
    )


def _activations(job: AtlasJob) -> Generator[Slice, None, tuple[Vectors, MapPositions, Sequence[tuple[int, int]]]]:
    """Return the activations of some positions of each photo, their photos, rows and columns, and the size of each photo's map."""
    rng = np.random.default_rng(job.params.seed)
    found: list[np.ndarray] = []
    places: list[np.ndarray] = []
    shapes: list[tuple[int, int]] = []
    for each in forward_in_batches(job.probe, job.inputs.several, [job.layer], precision=job.params.precision):
        maps = to_map(each.found.activations[job.layer], job.probe.description, job.layer)
        height, width = maps.shape[1:3]
        for number, one in enumerate(maps, each.first):
            taken = np.sort(rng.permutation(height * width)[: job.params.positions_of_each()])
            found.append(one.reshape(height * width, -1)[taken])
            places.append(np.column_stack([np.full(len(taken), number), taken // width, taken % width]))
            shapes.append((height, width))
        yield job.slice(len(shapes))
    return np.concatenate(found), np.concatenate(places).astype(np.int32), shapes


def _check_cells(grid: ActivationGrid, job: AtlasJob) -> None:
    """Raise `InvalidParameters` if no cell has enough activations. Without `min_activations`, one cell always has."""
    if len(grid.cells) == 0:
        raise InvalidParameters(
            f"No cell has {grid.least} activations: layer '{job.layer}' has {len(grid.members)} in all for {these_photos(job.photos)}, "
            f"and the grid has {grid.columns} × {grid.columns} cells. Lower `min_activations`, ask for fewer `columns`, or give more "
            "photos.",
            pointer="/params/min_activations",
            got=str(grid.least),
        )


def _classes(job: AtlasJob, means: Float32[np.ndarray, "c k"]) -> Generator[Slice, None, tuple[tuple[Prediction, ...], ...] | None]:
    """Return the top class of each cell, or None if the model's classes do not depend on the layer's mean alone."""
    several, precision = job.inputs.several, job.params.precision
    if not has_classes_of(job.probe, job.layer):
        return None
    asked = depends_on_the_mean_alone(job.probe, several, job.layer, precision)
    while True:
        try:
            yield job.slice(job.photos + next(asked).step)
        except StopIteration as stop:
            if not stop.value:
                return None
            return tuple(classes_of_vectors(job.probe, several[0], job.layer, means, top=1, precision=precision))


def _example(job: AtlasJob, place: Int32[np.ndarray, " 3"], shape: tuple[int, int]) -> UInt8[np.ndarray, "h w 3"]:
    """Return the part of the photo around an activation. `shape` is the size of the photo's map."""
    number, row, column = (int(each) for each in place)
    whole = job.inputs.several[number]
    under = photo_under(whole.photo, job.probe.map_place(job.layer, (whole.tensor.shape[0], whole.tensor.shape[1])))
    return part_around(under, (row, column), shape, EXAMPLE)


def part_around(photo: Photo, position: tuple[int, int], shape: tuple[int, int], share: float) -> UInt8[np.ndarray, "h w 3"]:
    """Return the part of a photo around a position of a map. It is cut off where the photo, or what the model saw of it, ends.

    Args:
        photo: the photo as it lies under the map.
        position: row and column in the map.
        shape: height and width of the map.
        share: the side of the part as a share of the shorter side of the area under the map. The part has at least the size of a cell.
    """
    placement, spans = photo.placement, list[slice]()
    side = share * min(placement.input_size)
    for axis in (0, 1):
        cell = placement.input_size[axis] / shape[axis]
        at = shape[axis] - 1 - position[axis] if placement.mirrored[axis] else position[axis]
        extent = max(side, cell)
        spans.append(span_on_photo(axis, (at + 0.5) * cell - extent / 2, extent, placement, photo.image.shape))
    return photo.image[spans[0], spans[1]]
