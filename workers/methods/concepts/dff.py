"""Deep feature factorization (Collins et al., ECCV 2018, arXiv:1806.10206)."""

from __future__ import annotations

from collections.abc import Generator
from itertools import pairwise

import numpy as np
from jaxtyping import Float32

from schemas.methods.concepts.dff import Dff, too_many
from schemas.methods.facts import Prediction
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.concepts import parts_sheet
from workers.methods.concepts.nmf import factorize
from workers.methods.concepts.part_labels import classes_of_vectors, depends_on_the_mean_alone, has_classes_of
from workers.methods.concepts.photo_parts import Parts, relative_errors, sorted_parts
from workers.methods.inspection.photo_batches import forward_in_batches, these_photos
from workers.methods.map_places import photo_under
from workers.methods.token_maps import to_map

draw = parts_sheet.draw


def positions_by_channels(maps: list[Float32[np.ndarray, "_ _ k"]]) -> tuple[Float32[np.ndarray, "n k"], list[slice]]:
    """Return max(0, A) with a row for each position of each photo, and the rows of each photo."""
    ends = np.cumsum([0, *(each.shape[0] * each.shape[1] for each in maps)]).tolist()
    matrix = np.concatenate([np.maximum(each, 0).reshape(-1, each.shape[-1]) for each in maps])
    return matrix, [slice(start, stop) for start, stop in pairwise(ends)]


def run(probe: Probe, inputs: Inputs, params: Dff) -> Generator[Slice, None, Parts]:
    """Read the activations of all photos, factorize them together, and ask the model for the classes of each part.

    Raises:
        InvalidParameters: there are more parts than positions in all photos.
        NonFinite: the activations of a photo are not finite. The error names the photo by its number.
    """
    layer, several = params.layer or "", inputs.several
    total = 2 * len(several) + params.max_iterations
    maps: list[np.ndarray] = []
    for each in forward_in_batches(probe, several, [layer], precision=params.precision):
        maps += list(to_map(each.found.activations[layer], probe.description, layer))
        yield Slice(len(maps), total)
    matrix, rows = positions_by_channels(maps)
    if params.parts > len(matrix):
        why = f"Layer '{layer}' has {len(matrix)} positions in {these_photos(len(several))}"
        raise too_many(params.parts, len(matrix), why, "/params/parts", "parts")
    work = factorize(matrix, params.parts, params.max_iterations, params.tolerance)
    while True:
        try:
            yield Slice(len(several) + next(work), total)
        except StopIteration as stop:
            factors = stop.value
            break
    weights, vectors, shares = sorted_parts(factors)
    classes = yield from _classes(probe, inputs, params, vectors, total)
    error, errors = relative_errors(matrix, factors, rows)
    return Parts(
        tuple(photo_under(each.photo, probe.map_place(layer, each.tensor.shape[:2])) for each in several),
        tuple(weights[own].T.reshape(-1, *each.shape[:2]) for own, each in zip(rows, maps, strict=True)),
        vectors,
        tuple(shares.tolist()),
        error,
        errors,
        factors,
        classes,
        probe.description.name,
    )


def _classes(
    probe: Probe, inputs: Inputs, params: Dff, vectors: Float32[np.ndarray, "p k"], total: int
) -> Generator[Slice, None, tuple[tuple[Prediction, ...], ...] | None]:
    """Return the classes of each part, or None if the model's classes do not depend on the layer's mean alone."""
    layer = params.layer or ""
    if not has_classes_of(probe, layer):
        return None
    asked = depends_on_the_mean_alone(probe, inputs.several, layer, params.precision)
    while True:
        try:
            yield Slice(total - len(inputs.several) + next(asked).step, total)
        except StopIteration as stop:
            if not stop.value:
                return None
            return tuple(classes_of_vectors(probe, inputs.several[0], layer, vectors, top=params.top, precision=params.precision))
