"""Testing with concept activation vectors (Kim et al., ICML 2018, arXiv:1711.11279)."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64, Int

from schemas.methods.concepts.tcav import Tcav
from workers.contract.inputs import Inputs, Prepared
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.concepts import tcav_sheet
from workers.methods.concepts.concept_vectors import ConceptVector, concept_vector, directional_derivatives
from workers.methods.concepts.tcav_result import TcavResult, VectorScores
from workers.methods.inspection.photo_batches import forward_in_batches, photo_slices

draw = tcav_sheet.draw
LEAST_SETS = 3
"""Two random sets against each other give one score and its mirror image, so random scores vary from three sets on."""

Numbers = Int[np.ndarray, " _"]


@dataclass
class _ConceptTest:
    """A job and its progress: photos that a pass has taken, and vectors."""

    probe: Probe
    inputs: Inputs
    params: Tcav
    total: int
    done: int = 0

    @property
    def layer(self) -> str:
        return self.params.layer or ""

    def after(self, steps: int) -> Slice:
        """Count some steps, and return the slice that ends with them."""
        self.done += steps
        return Slice(self.done, self.total)


@dataclass(frozen=True)
class _PhotoProducts:
    """The products of all activations with each other (n, n), and with the gradient of each photo of the class (m, n)."""

    activations: Float64[np.ndarray, "n n"]
    gradients: Float64[np.ndarray, "m n"]


def run(probe: Probe, inputs: Inputs, params: Tcav) -> Generator[Slice, None, TcavResult]:
    """Read the activations of all sets and the gradients of the class's photos, and fit a vector for each concept and random set.

    Raises:
        InvalidParameters: a set has fewer than two photos.
        NonFinite: the scores, activations or gradients of a photo are not finite.
    """
    params.check_sets()
    photos, numbers = _numbered(inputs)
    concepts, others = numbers["concepts"], numbers["random_sets"]
    by_chance = [(others[one], others[other]) for one, other in random_pairs(len(others))]
    given = params.class_index if isinstance(params.class_index, int) else None
    passes = len(photos) + len(inputs.several) * (1 if given is not None else 2)
    job = _ConceptTest(probe, inputs, params, passes + len(concepts) * len(others) + len(by_chance))
    index = given if given is not None else (yield from _most_frequent_class(job))
    activations, shape = yield from _activations(job, photos)
    gradients, tops = yield from _gradient_products(job, index, activations)
    products = _PhotoProducts((activations @ activations.T).astype(np.float64), gradients)
    found: list[VectorScores] = []
    for pairs in ([(concept, each) for each in others] for concept in concepts):
        scores = yield from _scores(job, products, pairs)
        found.append(scores)
    random = (yield from _scores(job, products, by_chance)) if by_chance else None
    return TcavResult(
        model=probe.published,
        photos=tuple(each.photo for each in inputs.several),
        concept_photos=tuple(tuple(each.photo for each in members) for members in inputs.sets["concepts"]),
        class_index=index,
        images_of_class=int((tops == index).sum()),
        by_concept=tuple(found),
        by_chance=random,
        vectors=np.stack([_mean_vector(activations, each.vectors).reshape(shape) for each in found]),
    )


def random_pairs(count: int) -> list[tuple[int, int]]:
    """Return the pairs of random sets that are told from each other: each set against the next, and the last against the first."""
    return [(number, (number + 1) % count) for number in range(count)] if count >= LEAST_SETS else []


def _numbered(inputs: Inputs) -> tuple[list[Prepared], dict[str, list[Numbers]]]:
    """Return each photo of the sets once, and the numbers of the photos of each set by the name of its parameter."""
    places: dict[int, int] = {}
    photos: list[Prepared] = []
    numbers: dict[str, list[Numbers]] = {}
    for name, sets in inputs.sets.items():
        for each in (photo for members in sets for photo in members):
            if places.setdefault(id(each), len(photos)) == len(photos):
                photos.append(each)
        numbers[name] = [np.array([places[id(each)] for each in members]) for members in sets]
    return photos, numbers


def _most_frequent_class(job: _ConceptTest) -> Generator[Slice, None, int]:
    tops: list[np.ndarray] = []
    for each in forward_in_batches(job.probe, job.inputs.several, scores=True, precision=job.params.precision):
        if each.found.logits is None:
            raise ValueError(f"the pass through model '{job.probe.description.name}' gave no class scores")
        tops.append(each.found.logits.argmax(axis=1))
        yield job.after(len(each.images))
    return int(np.bincount(np.concatenate(tops)).argmax())


def _activations(
    job: _ConceptTest, photos: Sequence[Prepared]
) -> Generator[Slice, None, tuple[Float32[np.ndarray, "n d"], tuple[int, ...]]]:
    """Return the activations of all photos minus their mean, each as one row, and the shape of a row before it was flattened."""
    rows: list[np.ndarray] = []
    for each in forward_in_batches(job.probe, photos, [job.layer], precision=job.params.precision):
        rows.append(_pooled(each.found.activations[job.layer], job.params, "mean"))
        yield job.after(len(each.images))
    found = np.concatenate(rows)
    flat = found.reshape(len(found), -1)
    return flat - flat.mean(axis=0, dtype=np.float64).astype(np.float32), found.shape[1:]


def _gradient_products(
    job: _ConceptTest, index: int, activations: Float32[np.ndarray, "n d"]
) -> Generator[Slice, None, tuple[Float64[np.ndarray, "m n"], Numbers]]:
    """Return the product of each photo's gradient of the class's logit with all activations, and the top class of each photo."""
    rows, tops, several = list[np.ndarray](), list[np.ndarray](), job.inputs.several
    for some in photo_slices(job.probe, several, gradient=True):
        tensor = np.stack([each.tensor for each in several[some]])
        found = job.probe.gradients(tensor, job.layer, np.full(len(tensor), index, np.int32), precision=job.params.precision)
        # A step along a vector that is the same at all positions changes the logit by the sum over the positions.
        rows.append(_pooled(found.gradients, job.params, "sum").reshape(len(tensor), -1) @ activations.T)
        tops.append(found.logits.argmax(axis=1))
        yield job.after(len(tensor))
    return np.concatenate(rows).astype(np.float64), np.concatenate(tops)


def _scores(job: _ConceptTest, products: _PhotoProducts, pairs: Sequence[tuple[Numbers, Numbers]]) -> Generator[Slice, None, VectorScores]:
    """Fit a vector for each pair of sets, which tells the first set from the second."""
    vectors: list[ConceptVector] = []
    for concept, others in pairs:
        vectors.append(concept_vector(products.activations, concept, others, job.params.penalty))
        yield job.after(1)
    return VectorScores(tuple(vectors), np.stack([directional_derivatives(products.gradients, each) for each in vectors]))


def _mean_vector(activations: Float32[np.ndarray, "n d"], vectors: Sequence[ConceptVector]) -> Float32[np.ndarray, " d"]:
    shares = np.zeros(len(activations), np.float32)
    for each in vectors:
        np.add.at(shares, each.examples, (each.coefficients / len(vectors)).astype(np.float32))
    return shares @ activations


def _pooled(values: Float32[np.ndarray, "n *place k"], params: Tcav, pool: Literal["mean", "sum"]) -> Float32[np.ndarray, "n ..."]:
    """Return values of a layer as they are, or, if the parameters say so, their mean or sum over the positions."""
    if params.pool != "mean" or values.ndim == 2:
        return values
    positions = values.reshape(len(values), -1, values.shape[-1])
    return getattr(positions, pool)(axis=1, dtype=np.float64).astype(np.float32)
