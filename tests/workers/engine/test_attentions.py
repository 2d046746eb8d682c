"""Attention probabilities of Keras's layers, and the gradients of a score by them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from schemas.errors import NoGradient, UnknownLayer, UnsuitableLayer
from tests.workers.engine.support import probe_of
from tests.workers.methods.attention.support import BLOCKS, NumpyVit, photos, tiny_probe
from tests.zoo import seeded
from workers.engine.probe import KerasProbe

PATHS = [f"{name}_attention" for name in BLOCKS]
SIZE = (6, 4, 3)


def inputs(n: int = 2) -> np.ndarray:
    return np.random.default_rng(1).normal(size=(n, *SIZE)).astype(np.float32)


def model_with(attend: Callable[[Any], Any], tokens: tuple[int, ...] = (6, 4)) -> keras.Model:
    """Return a model in which `attend` reads six tokens of four channels."""
    photo = keras.Input(SIZE, name="photo")
    x = layers.Reshape(tokens)(layers.Conv2D(4, 2, strides=2, name="patches")(photo))
    return seeded(keras.Model(photo, layers.Dense(3, name="head")(layers.Flatten()(attend(x)))))


def test_probabilities_and_gradients_are_those_of_the_formulas() -> None:
    model, probe = tiny_probe()
    reference, tensor = NumpyVit(model), photos()
    found = probe.attention_gradients(tensor, PATHS, np.array([2, -1, 0], np.int32))
    assert list(found.layers) == list(found.gradients) == PATHS
    for row, photo in enumerate(tensor):
        logits, attention = reference(photo)
        np.testing.assert_allclose(found.logits[row], logits, rtol=1e-4, atol=1e-5)
        explained = (2, int(logits.argmax()), 0)[row]
        assert found.class_indices[row] == explained
        for path in PATHS:
            np.testing.assert_allclose(found.layers[path][row], attention[path], atol=1e-6)
            expected = reference.gradient(photo, explained, path)
            np.testing.assert_allclose(found.gradients[path][row], expected, rtol=1e-3, atol=1e-4 * abs(expected).max())
    forward = probe.attentions(tensor, PATHS, scores=True)
    np.testing.assert_array_equal(forward.logits, found.logits)
    for path in PATHS:
        np.testing.assert_allclose(forward.layers[path], found.layers[path], atol=1e-6)


@pytest.mark.parametrize(
    ("layer", "causal"),
    [
        (lambda: layers.MultiHeadAttention(3, 2, value_dim=5, use_bias=False, dropout=0.3), True),
        (lambda: layers.GroupQueryAttention(3, 4, 2), False),
        (lambda: layers.MultiHeadAttention(2, 3, use_gate=True, dtype="mixed_float16"), False),
    ],
)
def test_they_are_those_that_the_layer_itself_returns(layer: Callable[[], Any], causal: bool) -> None:
    attention = layer()
    model = model_with(lambda x: attention(x, x, use_causal_mask=causal))
    tokens = keras.Model(model.input, model.layers[2].output)(inputs())
    _, expected = attention(tokens, tokens, return_attention_scores=True, use_causal_mask=causal, training=False)
    probe = probe_of(model)
    found = probe.attentions(inputs(), [attention.name]).layers[attention.name]
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.asarray(expected, np.float32), atol=2e-3 if "16" in attention.compute_dtype else 1e-6)
    assert not (causal and np.triu(found, 1).any())
    np.testing.assert_allclose(found.sum(axis=-1), 1, atol=2e-3)
    assert np.ptp(found[0] - found[1]) > 1e-3


def test_an_explicit_mask_counts_and_the_model_gives_the_same_scores() -> None:
    mask = np.ones((1, 6, 6), bool)
    mask[:, :, 4] = False
    attention = layers.MultiHeadAttention(2, 3, name="attention")
    model = model_with(lambda x: attention(x, x, attention_mask=ops.convert_to_tensor(mask)))
    probe = probe_of(model)
    found = probe.attentions(inputs(), ["attention"])
    assert not found.layers["attention"][..., 4].any()
    assert found.layers["attention"][..., 3].all()
    assert (found.logits, found.probabilities) == (None, None)


def test_flash_attention_is_left_out() -> None:
    """TensorFlow has no flash attention, so a layer that asks for it runs only without it."""
    plain = layers.MultiHeadAttention(2, 3, name="attention")
    flash = layers.MultiHeadAttention(2, 3, name="attention", flash_attention=True)
    first, second = (
        probe_of(model_with(lambda x, layer=layer: layer(x, x))).attentions(inputs(), ["attention"]) for layer in (plain, flash)
    )
    np.testing.assert_array_equal(first.layers["attention"], second.layers["attention"])


def test_a_layer_that_also_returns_its_scores_still_returns_them() -> None:
    attention = layers.MultiHeadAttention(2, 3, name="attention")
    model = model_with(lambda x: attention(x, x, return_attention_scores=True)[1])
    found = probe_of(model).attentions(inputs(), ["attention"]).layers["attention"]
    flat = keras.Model(model.input, model.layers[-2].output)(inputs())
    np.testing.assert_allclose(found.reshape(2, -1), np.asarray(flat), atol=1e-6)


def test_each_call_of_a_shared_layer_and_a_layer_in_a_nested_model_has_its_own() -> None:
    attention = layers.MultiHeadAttention(2, 3, name="attention")
    inside = keras.Input((6, 4))
    nested = keras.Model(inside, layers.MultiHeadAttention(2, 2, name="inner")(inside, inside), name="nested")
    probe = probe_of(model_with(lambda x: nested(attention(attention(x, x), x))))
    found = probe.attentions(inputs(), ["nested/inner", "attention"]).layers
    assert list(found) == ["attention", "attention//1", "nested/inner"]
    assert np.abs(found["attention"] - found["attention//1"]).max() > 1e-3


def test_attention_over_a_map_keeps_its_axes() -> None:
    probe = probe_of(model_with(lambda x: layers.MultiHeadAttention(2, 3, attention_axes=(1, 2), name="attention")(x, x), (3, 2, 4)))
    found = probe.attentions(inputs(), ["attention"]).layers["attention"]
    assert found.shape == (2, 2, 3, 2, 3, 2)
    np.testing.assert_allclose(found.sum(axis=(-1, -2)), 1, atol=1e-5)


class _Own(layers.MultiHeadAttention):
    def _compute_attention(self, *args: Any, **kwargs: Any) -> Any:
        return super()._compute_attention(*args, **kwargs)


@pytest.mark.parametrize(
    ("attend", "words"),
    [
        (lambda x: layers.Attention(name="attention")([x, x]), r"\(Attention\) cannot be seen"),
        (lambda x: _Own(2, 3, name="attention")(x, x), r"\(_Own\) cannot be seen"),
        (layers.Dense(4, name="attention"), r"\(Dense\) cannot be seen"),
        (
            lambda x: layers.MultiHeadAttention(2, 3, attention_axes=(2,), name="attention")(*[layers.Reshape((3, 2, 4))(x)] * 2),
            "attends along 1 of the 2 axes",
        ),
    ],
)
def test_what_cannot_be_seen_is_refused(attend: Callable[[Any], Any], words: str) -> None:
    with pytest.raises(UnsuitableLayer, match=f"'attention'.*{words}"):
        probe_of(model_with(attend)).attentions(inputs(), ["attention"])


def test_attention_within_windows_is_refused() -> None:
    def windows(x: Any) -> Any:
        attention = layers.MultiHeadAttention(2, 3, name="attention")
        own = ops.reshape(x, (-1, 3, 4))
        return ops.reshape(attention(own, own), (-1, 6, 4))

    with pytest.raises(UnsuitableLayer, match="'attention' attends within 2 windows of each image"):
        probe_of(model_with(windows)).attentions(inputs(), ["attention"])


def test_unknown_layers_and_layers_without_a_way_to_the_score_are_refused() -> None:
    photo = keras.Input(SIZE, name="photo")
    x = layers.Reshape((6, 4))(layers.Conv2D(4, 2, strides=2)(photo))
    beside = layers.MultiHeadAttention(2, 3, name="beside")(x, x)
    probe: KerasProbe = probe_of(seeded(keras.Model(photo, [layers.Dense(3, name="head")(layers.Flatten()(x)), beside])))
    with pytest.raises(UnknownLayer, match="nowhere"):
        probe.attentions(inputs(), ["nowhere"])
    with pytest.raises(NoGradient):
        probe.attention_gradients(inputs(), ["beside"], np.array([0, 1], np.int32))
    assert probe.attentions(inputs(), ["beside"]).layers["beside"].shape == (2, 2, 6, 6)
