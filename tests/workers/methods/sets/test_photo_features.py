"""Vectors of photos, their distances, and the plane through them, by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schemas.errors import InvalidParameters, UnknownLayer, UnsuitableLayer
from schemas.limits import MethodLimits
from schemas.methods.sets.embedding import Embedding, EmbeddingFacts
from schemas.methods.sets.nearest import Nearest, NearestFacts
from tests.schemas.tiny import published
from tests.workers.methods.support import FormulaProbe, batch, photo_of
from workers.contract.artifacts import Array, Output
from workers.contract.inputs import Inputs, Prepared
from workers.methods.sets import embedding, nearest
from workers.methods.sets.embedding import principal_components
from workers.methods.sets.nearest import distances
from workers.methods.sets.photo_features import pooled

IDS = tuple(f"img_{number:064x}" for number in range(5))


def test_pooling_by_hand() -> None:
    maps = np.array([[[[1, 2], [3, -4]], [[5, 6], [-1, 0]]]], np.float32)  # (1, 2, 2, 2)
    assert pooled(maps, "mean").tolist() == [[2, 1]]
    assert pooled(maps, "max").tolist() == [[5, 6]]
    assert pooled(maps, "none").tolist() == [[1, 2, 3, -4, 5, 6, -1, 0]]
    assert pooled(maps[:, 0], "max").tolist() == [[3, 2]]  # tokens
    assert pooled(maps[:, 0, 0], "mean").tolist() == [[1, 2]]  # a vector


def test_distances_by_hand() -> None:
    query, others = np.array([3, 4], np.float32), np.array([[6, 8], [-3, -4], [4, -3], [0, 0], [3, 4]], np.float32)
    np.testing.assert_allclose(distances(query, others, "cosine"), [0, 2, 1, 1, 0], atol=1e-12)
    np.testing.assert_allclose(distances(query, others, "euclidean"), [5, 10, np.sqrt(50), 5, 0])


def test_principal_components_by_hand() -> None:
    """Four points on a rectangle of 6 × 2, turned by 45 degrees and moved: variances 9 and 1 of 10."""
    turned = np.array([[1, 1], [-1, 1]]) / np.sqrt(2)
    points = np.array([[3, 1], [3, -1], [-3, 1], [-3, -1]]) @ turned + [100, -50]
    found = principal_components(points.astype(np.float32), 10)
    np.testing.assert_allclose(found.explained, [0.9, 0.1], atol=1e-5)
    np.testing.assert_allclose(np.abs(found.coordinates), [[3, 1]] * 4, atol=1e-4)
    assert (found.coordinates[np.abs(found.coordinates).argmax(axis=0), [0, 1]] > 0).all()
    distances_before = np.linalg.norm(points[:, None] - points[None], axis=2)
    distances_after = np.linalg.norm(found.coordinates[:, None] - found.coordinates[None], axis=2)
    np.testing.assert_allclose(distances_after, distances_before, atol=1e-4)


def test_vectors_that_are_the_same_have_no_variance_and_one_number_has_a_second_axis_of_zeros() -> None:
    same = principal_components(np.full((4, 3), 0.1, np.float32), 10)
    assert not same.explained.any()
    assert not same.coordinates.any()
    line = principal_components(np.array([[1], [2], [6]], np.float32), 10)
    np.testing.assert_allclose(line.coordinates, [[-2, 0], [-1, 0], [3, 0]])
    np.testing.assert_allclose(line.explained, [1, 0])


def run(method: Any, params: Any, inputs: Inputs) -> Output:
    slices, last = method.run(FormulaProbe(), inputs, params), 0
    while True:
        try:
            made = next(slices)
        except StopIteration as stop:
            assert last == made.total
            return method.draw(stop.value, photo_of(), params)
        assert last < made.step <= made.total
        last = made.step


def several(tensors: np.ndarray) -> tuple[Prepared, ...]:
    return tuple(Prepared(photo_of(seed=number), tensor) for number, tensor in enumerate(tensors))


def test_the_nearest_photos_are_those_of_the_smallest_distances() -> None:
    """The layer `conv` is the input itself. The photos are the query times a factor, plus a shift in one channel."""
    query = np.abs(batch(1)) + 1
    shift = np.array([1, 0, 0], np.float32)
    tensors = np.concatenate([query + 4 * shift, query * 3, query + shift, query, query - 0.5 * shift])
    for metric, order in (("cosine", [1, 3, 4, 2, 0]), ("euclidean", [3, 4, 2, 0, 1])):
        params = Nearest(images=IDS, layer="conv", metric=metric, count=4)  # type: ignore[arg-type]
        output = run(nearest, params, Inputs(query, None, several(tensors)))
        assert isinstance(output.facts, NearestFacts)
        found = output.facts.neighbours
        assert [each.number for each in found] == order[:4], metric
        assert [each.image for each in found] == [IDS[number] for number in order[:4]]
        assert [each.distance for each in found] == sorted(each.distance for each in found)
        assert output.facts.dimensions == 3
        (values,) = (each.array for each in output.artifacts if each.name == "distances" and isinstance(each, Array))
        assert output.facts.median_distance == pytest.approx(np.median(values))
        if metric == "euclidean":
            np.testing.assert_allclose(values[[2, 4, 0]], [1, 0.5, 4], atol=1e-5)


def test_a_photo_without_an_answer_has_no_direction() -> None:
    tensors = np.concatenate([batch(2), np.zeros((1, 4, 6, 3), np.float32)])
    output = run(nearest, Nearest(images=IDS[:3], layer="conv"), Inputs(batch(1), None, several(tensors)))
    assert "does not answer to 1 of the photos" in output.warnings[0]


def test_the_embedding_says_where_each_photo_is() -> None:
    tensors = np.zeros((3, 4, 6, 3), np.float32)
    tensors[:, ..., 0] = np.array([0, 2, 7], np.float32)[:, None, None]  # means -3, -1 and 4 from the middle
    output = run(embedding, Embedding(images=IDS[:3], layer="conv"), Inputs(np.zeros((0, 1, 1, 3), np.float32), None, several(tensors)))
    facts = output.facts
    assert isinstance(facts, EmbeddingFacts)
    np.testing.assert_allclose([each.position for each in facts.photos], [[-3, 0], [-1, 0], [4, 0]], atol=1e-6)
    assert facts.explained_variance[0] == pytest.approx(1)
    assert output.warnings == ()


def test_photos_that_are_alike_for_the_layer_are_said_to_be() -> None:
    inputs = Inputs(np.zeros((0, 1, 1, 3), np.float32), None, several(np.ones((3, 4, 6, 3), np.float32)))
    assert "the same vector for all photos" in run(embedding, Embedding(images=IDS[:3], layer="conv"), inputs).warnings[0]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidParameters, match="at least 3 photos, got 2"):
        Embedding(images=IDS[:2]).resolve(published(), MethodLimits())
    with pytest.raises(UnknownLayer):
        Nearest(images=IDS, layer="block9").resolve(published(), MethodLimits())
    free = published()
    layers = tuple(each.model_copy(update={"output_shape": (None, None, 8)}) for each in free.description.layers)
    free = free.model_copy(update={"description": free.description.model_copy(update={"layers": layers})})
    with pytest.raises(UnsuitableLayer, match="depends on the photo"):
        Nearest(images=IDS, pool="none").resolve(free, MethodLimits())
    resolved = Nearest(images=IDS, count=9).resolve(published(), MethodLimits())
    assert (resolved.layer, resolved.count) == ("block5_conv3", 5)
