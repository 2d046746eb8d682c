"""Concepts of a class and their importance (Fel et al., CRAFT, CVPR 2023, arXiv:2211.10154).

The authors' code weakens the factors by an L2 term of 0.01; ours has none, as in the paper's formula.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from schemas.methods.concepts.craft import Craft
from schemas.methods.concepts.dff import too_many
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.batch_sizes import batches
from workers.methods.concepts import concepts_sheet
from workers.methods.concepts.class_concepts import ClassConcepts
from workers.methods.concepts.nmf import Factorization, factorize, project
from workers.methods.concepts.photo_crops import Crop, crops_of, enlarged
from workers.methods.concepts.photo_parts import relative_errors
from workers.methods.inspection.photo_batches import forward_in_batches, these_photos
from workers.methods.map_places import photo_under
from workers.methods.perturbation.sobol import replicated_points, total_indices
from workers.methods.token_maps import from_map, to_map

draw = concepts_sheet.draw


@dataclass
class _Job:
    """A job and its progress."""

    probe: Probe
    inputs: Inputs
    params: Craft
    total: int
    done: int = 0

    def after(self, steps: int) -> Slice:
        """Count some steps, and return the slice that ends with them."""
        self.done += steps
        return Slice(self.done, self.total)


def run(probe: Probe, inputs: Inputs, params: Craft) -> Generator[Slice, None, ClassConcepts]:
    """Find the class, factorize the activations of the crops, and weaken the concepts in each photo.

    Raises:
        InvalidParameters: there are more concepts than crops.
        NonFinite: the scores or the activations of a photo are not finite. The error names the photo by its number.
    """
    several = inputs.several
    crops = tuple(crops_of(several, params.crop))
    job = _Job(probe, inputs, params, 2 * len(several) + len(crops) + params.max_iterations + params.masks())
    if params.concepts > len(crops):
        number = "1 crop" if len(crops) == 1 else f"{len(crops)} crops"
        why = f"There {'is' if len(crops) == 1 else 'are'} {number} of {these_photos(len(several))}"
        raise too_many(params.concepts, len(crops), why, "/params/concepts", "concepts")
    logits = yield from _logits(job)
    tops = logits.argmax(axis=1)
    index = params.class_index if isinstance(params.class_index, int) else int(np.bincount(tops).argmax())
    matrix = yield from _pooled_crops(job, crops)
    factors = yield from _factors(job, matrix)
    lengths = np.linalg.norm(factors.vectors, axis=1, keepdims=True)
    vectors = factors.vectors / np.where(lengths > 0, lengths, 1)
    maps: list[np.ndarray] = []
    importances: list[np.ndarray] = []
    for number in range(len(several)):
        found, importance = yield from _weakened(job, number, vectors, index)
        maps.append(found)
        importances.append(importance)
    return ClassConcepts(
        probe.published,
        tuple(photo_under(each.photo, probe.map_place(params.layer or "", each.tensor.shape[:2])) for each in several),
        tuple(each.photo for each in several),
        index,
        tuple(tops.tolist()),
        crops,
        factors.weights * lengths[:, 0],
        vectors,
        tuple(maps),
        np.stack(importances),
        relative_errors(matrix, factors, [slice(None)])[0],
        factors,
    )


def _logits(job: _Job) -> Generator[Slice, None, Float32[np.ndarray, "n c"]]:
    found: list[np.ndarray] = []
    for each in forward_in_batches(job.probe, job.inputs.several, scores=True, precision=job.params.precision):
        if each.found.logits is None:
            raise ValueError(f"the pass through model '{job.probe.description.name}' gave no class scores")
        found.append(each.found.logits)
        yield job.after(len(each.images))
    return np.concatenate(found)


def _pooled_crops(job: _Job, crops: tuple[Crop, ...]) -> Generator[Slice, None, Float32[np.ndarray, "n k"]]:
    """Return the mean of max(0, activation) over the positions for each crop. Only a few enlarged crops are in memory at a time."""
    layer, found = job.params.layer or "", list[np.ndarray]()
    for rows in _groups(job.probe, job.inputs, crops):
        prepared = [enlarged(each, job.inputs.several[each.image]) for each in crops[rows]]
        for batch in forward_in_batches(job.probe, prepared, [layer], precision=job.params.precision):
            maps = to_map(batch.found.activations[layer], job.probe.description, layer)
            found.append(np.maximum(maps, 0).mean(axis=(1, 2)))
            yield job.after(len(batch.images))
    return np.concatenate(found)


def _groups(probe: Probe, inputs: Inputs, crops: tuple[Crop, ...]) -> Iterator[slice]:
    height, width = inputs.several[0].tensor.shape[:2]
    return batches(probe, (height, width), len(crops))


def _factors(job: _Job, matrix: Float32[np.ndarray, "n k"]) -> Generator[Slice, None, Factorization]:
    work, before = factorize(matrix, job.params.concepts, job.params.max_iterations), job.done
    while True:
        try:
            yield Slice(before + next(work), job.total)
        except StopIteration as stop:
            job.done = before + job.params.max_iterations
            return stop.value


def _weakened(
    job: _Job, number: int, vectors: Float32[np.ndarray, "p k"], index: int
) -> Generator[Slice, None, tuple[Float32[np.ndarray, "p h w"], Float64[np.ndarray, " p"]]]:
    """Return the map of each concept in one photo, and its total Sobol index for the class's logit."""
    layer, photo = job.params.layer or "", job.inputs.several[number]
    own = job.probe.forward(photo.tensor[None], [layer], precision=job.params.precision).activations[layer]
    (activations,) = to_map(own, job.probe.description, layer)
    shape = activations.shape
    parts = project(np.maximum(activations, 0).reshape(-1, shape[-1]), vectors)
    yield job.after(1)
    masks = replicated_points(job.params.designs, job.params.concepts, job.params.seed)
    scores: list[np.ndarray] = []
    for rows in batches(job.probe, (photo.tensor.shape[0], photo.tensor.shape[1]), len(masks)):
        altered = rebuilt(parts, vectors, masks[rows]).reshape(-1, *shape)
        repeated = np.repeat(own, len(altered), axis=0)
        tensor = np.repeat(photo.tensor[None], len(altered), axis=0)
        found = job.probe.scores_from(
            tensor, layer, from_map(altered, repeated, job.probe.description, layer), precision=job.params.precision
        )
        if found.logits is None:
            raise ValueError(f"the pass through model '{job.probe.description.name}' gave no class scores")
        scores.append(found.logits[:, index])
        yield job.after(len(altered))
    (indices,) = total_indices(np.concatenate(scores).astype(np.float64)[:, None], job.params.designs)
    return parts.T.reshape(-1, *shape[:2]), indices


def rebuilt(
    parts: Float32[np.ndarray, "n p"], vectors: Float32[np.ndarray, "p k"], masks: Float32[np.ndarray, "b p"]
) -> Float32[np.ndarray, "b n k"]:
    """Return Σ_i m_i · U_i · W_i for each mask m."""
    return (masks[:, None] * parts) @ vectors
