from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo import ZOO, photo_batch, seeded
from workers.contract.synthesis import Objective
from workers.engine.ascent.objective_functions import objective_numbers
from workers.engine.ascent.single_objective import single_objective
from workers.engine.graph import Graph


@pytest.mark.parametrize("kind", ["l2", "dot_cosine"])
@pytest.mark.parametrize("path", ["conv2", "hidden"])
def test_features_are_compared_with_the_activations_of_the_layer(kind: str, path: str) -> None:
    model = ZOO["functional"]()
    graph, x = Graph(model), photo_batch(model, 3)
    whole = np.asarray(graph.run(x, [path])[path]).astype(np.float64)
    features = np.abs(np.random.default_rng(0).normal(size=whole.shape[1:])).astype(np.float32)
    goal = Objective("l2" if kind == "l2" else "dot_cosine", path, features=features)
    values = single_objective(graph, goal, "photo", redirect=False, precision="float32")(x, np.int32([0] * 3), objective_numbers(goal))
    a, f = whole.reshape(3, -1), features.ravel().astype(np.float64)
    length = np.linalg.norm(f)
    if kind == "l2":
        expected = -np.square(a - f).sum(axis=1) / length**2
    else:
        expected = a @ f / length**2 * np.maximum(a @ f / (np.linalg.norm(a, axis=1) * length), 0.1)
    np.testing.assert_allclose(values, expected, rtol=1e-4)


@pytest.mark.parametrize("name", ["functional", "nested_head", "softmax_operation", "logits_head", "binary"])
def test_the_class_objective_is_the_logit_or_the_probability(name: str) -> None:
    model = ZOO[name]()
    graph, x = Graph(model), photo_batch(model, 2)
    classes = model.outputs[0].shape[-1]
    indices = np.int32([classes - 1, 0])
    position = np.int32([0, 0])
    logits = np.asarray(graph.class_scores(x)[1])
    image = graph.input_names[0]
    of_logits = single_objective(graph, Objective("class", indices=(0, 0)), image, redirect=False, precision="float32")(
        x, indices, position
    )
    np.testing.assert_allclose(of_logits, logits[np.arange(2), indices], rtol=1e-5, atol=1e-6)
    of_probabilities = single_objective(
        graph, Objective("class", indices=(0, 0), probability=True), image, redirect=False, precision="float32"
    )
    expected = np.asarray(graph.head.probabilities(tf.constant(logits)))[np.arange(2), indices]
    np.testing.assert_allclose(of_probabilities(x, indices, position), expected, rtol=1e-4, atol=1e-6)


def test_a_target_behind_a_folded_batch_norm_keeps_its_values() -> None:
    model = ZOO["batch_norm"]()
    graph, x, indices = Graph(model), photo_batch(model, 2), np.int32([1, 3])
    for path in ("conv1", "bn1", "relu1", "conv2", "bn2"):
        whole = np.asarray(graph.run(x, [path])[path])
        values = single_objective(graph, Objective("channel", path, (1, 3)), "photo", redirect=False, precision="float32")(
            x, indices, np.int32([0, 0])
        )
        np.testing.assert_allclose(values, whole.mean(axis=(1, 2))[np.arange(2), indices], rtol=1e-4, atol=1e-5)


def test_the_objective_is_about_the_first_call_of_a_shared_layer() -> None:
    model = seeded(ZOO["shared_layer"]())
    graph, x, indices = Graph(model), photo_batch(model, 2), np.int32([2, 0])
    expected = np.asarray(model.get_layer("shared")(x)).mean(axis=(1, 2))[np.arange(2), indices]
    values = single_objective(graph, Objective("channel", "shared", (2, 0)), "photo", redirect=False, precision="float32")(
        x, indices, np.int32([0, 0])
    )
    np.testing.assert_allclose(values, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("redirect", [False, True])
@pytest.mark.parametrize(("name", "path"), [("functional", "conv2"), ("batch_norm", "relu1"), ("functional", "hidden")])
def test_each_image_follows_its_own_direction(name: str, path: str, redirect: bool) -> None:
    """The value is that of the activations at the middle of the map, and a redirected ReLU changes gradients alone."""
    model = ZOO[name]()
    graph, x = Graph(model), photo_batch(model, 3)
    whole = np.asarray(graph.run(x, [path])[path]).astype(np.float64)
    a = whole
    if whole.ndim == 4:
        rows, columns = (slice((side - 1) // 2, side // 2 + 1) for side in whole.shape[1:3])
        a = whole[:, rows, columns].mean(axis=(1, 2))
    directions = np.random.default_rng(0).normal(size=(4, a.shape[1])).astype(np.float32)
    goal = Objective("direction", path, (3, 0, 1), directions=directions, power=1.5)
    function = single_objective(graph, goal, graph.input_names[0], redirect=redirect, precision="float32")
    d = directions[[3, 0, 1]].astype(np.float64)
    dot = (a * d).sum(axis=1)
    cosine = dot / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(d, axis=1), 1e-9)
    np.testing.assert_allclose(function(x, np.int32([3, 0, 1]), objective_numbers(goal)), dot * np.maximum(cosine, 0.1) ** 1.5, rtol=1e-4)
