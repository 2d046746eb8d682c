"""Batch norm, first layers, gates, targets, and the refusal of layers that have no rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from schemas.errors import NoGradient, UnsuitableLayer
from tests.workers.engine.relevance.support import composite, relevances
from tests.workers.engine.support import probe_of, relative_difference, zoo_probe
from tests.zoo import photo_batch, seeded
from workers.contract.relevance import RelevanceRules
from workers.contract.scores import Readout
from workers.engine.folding import fold
from workers.engine.graph import Graph
from workers.engine.score_sources import ClassScores

SIZE = (7, 5, 3)
RULES = composite("epsilon_plus_flat")


def photos(n: int = 2) -> np.ndarray:
    return np.random.default_rng(6).uniform(0, 4, (n, *SIZE)).astype(np.float32)


def model(*between: Callable[[Any], Any], channels: int = 4) -> keras.Model:
    photo = keras.Input(SIZE, name="photo")
    x = layers.Conv2D(channels, 3, name="first")(photo)
    for each in between:
        x = each(x)
    return seeded(keras.Model(photo, layers.Dense(3, activation="softmax", name="scores")(layers.Flatten(name="flat")(x))))


def test_batch_norm_is_merged_into_the_convolution_before_it() -> None:
    """The relevances are those of a model whose convolution has the merged weights and that has no batch norm."""
    with_norm = model(layers.BatchNormalization(name="norm"), layers.ReLU(name="relu"))
    without = model(layers.ReLU(name="relu"))
    folded = fold(with_norm.get_layer("first"), with_norm.get_layer("norm"))
    without.get_layer("first").set_weights([np.array(folded.kernel), np.array(folded.bias)])
    without.get_layer("scores").set_weights(with_norm.get_layer("scores").get_weights())
    for rules in (RULES, composite("epsilon_gamma_box"), composite("epsilon_alpha2_beta1")):
        one, other = relevances(with_norm, photos(), rules), relevances(without, photos(), rules)
        assert relative_difference(one.relevances, other.relevances) < 1e-4
    assert (one.batch_norms_merged, one.batch_norms_passed) == (1, 0)
    assert (other.batch_norms_merged, other.batch_norms_passed) == (0, 0)


@pytest.mark.slow
def test_relevance_passes_through_a_batch_norm_that_is_not_merged() -> None:
    """Behind the ReLU it stays, and changes neither the sum nor the place of relevance."""
    found = relevances(model(layers.ReLU(), layers.BatchNormalization(name="norm")), photos(), RelevanceRules("flat", "flat"))
    assert (found.batch_norms_merged, found.batch_norms_passed) == (0, 1)
    np.testing.assert_allclose(found.relevances.sum(axis=(1, 2, 3)), found.logits.max(axis=1), rtol=1e-4)


def test_the_rules_are_counted_by_layer() -> None:
    found = relevances(zoo_probe("batch_norm"), photo_batch(zoo_probe("batch_norm").graph.model, 1), RULES)
    assert found.rules == {"flat": 1, "z_plus": 7, "epsilon": 2}  # the separable convolution is two
    assert (found.batch_norms_merged, found.batch_norms_passed) == (6, 2)


def test_two_layers_that_read_the_photo_are_both_first() -> None:
    photo = keras.Input(SIZE, name="photo")
    branches = [layers.Conv2D(2, kernel, padding="same", activation="relu")(layers.Rescaling(0.5)(photo)) for kernel in (1, 3)]
    x = layers.Conv2D(3, 2, activation="relu")(layers.Concatenate()(branches))
    built = seeded(keras.Model(photo, layers.Dense(3)(layers.Flatten()(x))))
    assert relevances(built, photos(), RULES).rules == {"flat": 2, "z_plus": 1, "epsilon": 1}


def gated(first: str) -> keras.Model:
    """Return a model of two photos, a signal and a gate. The photo `first` is the first input, which is explained."""
    inputs = {name: keras.Input(SIZE, name=name) for name in ("signal", "gate")}
    signal = layers.Conv2D(4, 3, use_bias=False, activation="relu")(inputs["signal"])
    gate = layers.Conv2D(4, 3, activation="sigmoid")(inputs["gate"])
    x = layers.Flatten()(layers.Multiply(name="gated")([gate, signal]))
    order = [inputs[first], *(each for name, each in inputs.items() if name != first)]
    return seeded(keras.Model(order, layers.Dense(3, use_bias=False, name="scores")(x)))


def test_the_signal_gets_all_relevance_and_the_gate_nothing() -> None:
    found = relevances(gated("signal"), photos(), RULES)
    np.testing.assert_allclose(found.relevances.sum(axis=(1, 2, 3)), found.logits.max(axis=1), rtol=1e-3)
    with pytest.raises(NoGradient, match="depends on input 'gate' only through gates"):
        relevances(gated("gate"), photos(), RULES)


def _returned_attention(x: Any) -> Any:
    tokens = layers.Reshape((15, 4))(x)
    attended, weights = layers.MultiHeadAttention(1, 2, name="odd")(tokens, tokens, return_attention_scores=True)
    return layers.Concatenate()([layers.Flatten()(attended), layers.Flatten()(weights)])


REFUSED: dict[str, tuple[Callable[[Any], Any], str]] = {
    "attention": (lambda x: layers.Attention(name="odd")([layers.Reshape((15, 4))(x)] * 2), "Attention"),
    "returned": (_returned_attention, "MultiHeadAttention"),
    "normalisation": (layers.GroupNormalization(2, name="odd"), "GroupNormalization"),
    "softmax": (layers.Softmax(name="odd"), "Softmax"),
    "softmax_argument": (layers.Conv2D(3, 1, activation="softmax", name="odd"), "its activation is 'softmax'"),
    "product": (lambda x: layers.Multiply(name="odd")([x, layers.Conv2D(4, 1)(x)]), "neither of its inputs is clearly a gate"),
    "square": (lambda x: layers.Multiply(name="odd")([x, x]), "neither of its inputs is clearly a gate"),
    "dot": (lambda x: layers.Dot(1, name="odd")([layers.Reshape((15, 4))(x)] * 2), "Dot"),
    "recurrent": (lambda x: layers.GRU(2, name="odd")(layers.Reshape((15, 4))(x)), "GRU"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_layer_without_a_rule_is_named(name: str) -> None:
    block, why = REFUSED[name]
    with pytest.raises(UnsuitableLayer, match=f"Layer 'odd' .*{why}") as raised:
        relevances(model(block), photos(), RULES)
    assert raised.value.got == "odd"


@pytest.mark.parametrize("doubled", [lambda x: layers.Add()([x, x]), lambda x: x + x, lambda x: layers.Average()([x, x])])
def test_a_sum_may_have_the_same_tensor_twice(doubled: Callable[[Any], Any]) -> None:
    photo = keras.Input(SIZE, name="photo")
    x = layers.Conv2D(4, 3, use_bias=False, activation="relu")(photo)
    x = layers.Dense(3, use_bias=False, name="scores")(layers.Flatten()(doubled(x)))
    found = relevances(seeded(keras.Model(photo, x)), photos(), RULES)
    np.testing.assert_allclose(found.relevances.sum(axis=(1, 2, 3)), found.logits.max(axis=1), rtol=1e-3)


def test_a_layer_without_a_rule_may_stand_in_a_gate() -> None:
    def gate(x: Any) -> Any:
        mean = layers.GroupNormalization(2)(layers.GlobalAveragePooling2D(keepdims=True)(x))
        return layers.Multiply()([x, layers.Dense(4, activation="sigmoid")(mean)])

    assert relevances(model(layers.ReLU(), gate), photos(), RULES).relevances.any()


def test_probabilities_without_logits_are_refused() -> None:
    photo = keras.Input(SIZE, name="photo")
    x = layers.Flatten()(photo)
    mean = layers.Average(name="mean")([layers.Dense(3, activation="softmax")(x) for _ in range(2)])
    graph = Graph(keras.Model(photo, mean), head_kinds={"mean": "probabilities"})
    with pytest.raises(UnsuitableLayer, match="Layer 'mean' gives probabilities"):
        ClassScores(graph, None).origin({})


@pytest.mark.slow
def test_other_targets_start_from_their_own_value() -> None:
    """Without biases, the relevances of a neuron's mean, of a difference of classes and of a cosine sum to the value that is explained."""
    photo = keras.Input(SIZE, name="photo")
    x = layers.Conv2D(4, 3, activation="relu", use_bias=False, name="first")(photo)
    x = layers.Dense(3, use_bias=False, activation="softmax", name="scores")(layers.Flatten()(x))
    probe = probe_of(seeded(keras.Model(photo, x)))
    rng = np.random.default_rng(0)
    for readout, shape in (
        (Readout("logits"), (3,)),
        (Readout("layer", "first"), (5, 3, 4)),
        (Readout("layer", "first", normalised=True), (5, 3, 4)),
    ):
        weights = rng.uniform(0, 1, (2, *shape)).astype(np.float32)
        found = relevances(probe.explaining(readout, weights, ["one", "two"]), photos(), RULES, [0, 1])
        np.testing.assert_allclose(found.relevances.sum(axis=(1, 2, 3)), found.logits[[0, 1], [0, 1]], rtol=1e-3)


def test_a_batch_gives_what_its_examples_give_alone() -> None:
    probe = zoo_probe("nested")
    x = photo_batch(probe.graph.model, 3)
    together = relevances(probe, x, RULES).relevances
    alone = np.concatenate([relevances(probe, example[None], RULES).relevances for example in x])
    assert relative_difference(together, alone) < 1e-5
    assert probe.traces == 1
