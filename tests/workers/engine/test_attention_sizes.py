"""The memory of attention matrices counts where a pass returns them, on a model in which they are larger than all else."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from schemas.errors import LimitExceeded, OutOfMemory
from tests.workers.models.entries import file_entry
from workers.engine.activation_limits import ActivationLimits
from workers.engine.attention_sizes import AttentionSize, attention_size
from workers.engine.probe import KerasProbe
from workers.models.description.describe import describe

NAMES = ["first", "second", "third"]
ONE = 4 * 2 * 143**2  # bytes of one layer's matrices: two heads, 11 · 13 tokens
TOKENS = 4 * 143 * 4


def attending() -> keras.Model:
    photo = keras.Input((11, 13, 3), name="photo")
    x = layers.Reshape((143, 4))(layers.Conv2D(4, 1)(photo))
    for name in NAMES:
        x = layers.MultiHeadAttention(2, 3, name=name)(x, x)
    return keras.Model(photo, layers.Dense(3, name="scores")(layers.GlobalAveragePooling1D()(x)))


def probe(limit: int) -> KerasProbe:
    model = attending()
    return KerasProbe(model, describe(model, file_entry(Path("attending"))), limits=ActivationLimits(kept=limit))


def test_the_matrices_of_each_kind_of_layer() -> None:
    own, other = keras.KerasTensor((None, 5, 8)), keras.KerasTensor((None, 7, 6))
    heads, groups = layers.MultiHeadAttention(2, 3, value_dim=4), layers.GroupQueryAttention(3, 4, 2)
    assert attention_size(heads, [own, other]) == AttentionSize(2 * 5 * 7, 2 * 5 * 7 * (3 + 4))
    assert attention_size(groups, [own]) == AttentionSize(4 * 5 * 5, 4 * 5 * 5 * (3 + 3))
    assert attention_size(layers.Attention(), [own, other]) == AttentionSize(5 * 7, 5 * 7 * (8 + 6))
    assert attention_size(layers.AdditiveAttention(), [own, own]) == AttentionSize(8 * 5 * 5, 8 * 5 * 5 * 16)
    assert attention_size(layers.Dense(3), [own]) == AttentionSize()


def test_a_pass_that_returns_attention_holds_the_matrices_of_all_layers() -> None:
    """A pass that returns none holds those of the layer at work, with the photo and the tokens that the layer reads and writes."""
    photo, both = 4 * 11 * 13 * 3, np.zeros((2, 11, 13, 3), np.float32)
    plain = photo + ONE + 2 * TOKENS
    enough = probe(4 * plain)
    assert enough.forward(np.repeat(both, 2, axis=0), scores=True).logits is not None
    with pytest.raises(OutOfMemory, match=f"A batch of 5 inputs of 11 × 13 takes {5 * plain:,} bytes"):
        enough.forward(np.zeros((5, 11, 13, 3), np.float32), scores=True)
    with pytest.raises(OutOfMemory, match=f"A batch of 2 inputs of 11 × 13 takes {2 * (plain + 2 * ONE):,} bytes"):
        enough.attentions(both, NAMES)
    assert list(enough.attentions(both[:1], NAMES).layers) == NAMES
    assert list(probe(2 * (plain + 2 * ONE)).attentions(both, NAMES).layers) == NAMES


def test_gradients_by_attention_are_as_large_again() -> None:
    """The pass keeps the matrices of three layers, their gradients, two times the tokens, their mean and the scores."""
    needed = 6 * ONE + 2 * TOKENS + 4 * (4 + 3)
    x, classes = np.zeros((1, 11, 13, 3), np.float32), np.array([1], np.int32)
    found = probe(needed).attention_gradients(x, NAMES, classes)
    assert list(found.gradients) == NAMES
    narrow = probe(needed - 1)
    with pytest.raises(LimitExceeded, match=f"takes {needed:,} bytes .* Ask for fewer layers") as refused:
        narrow.attention_gradients(x, NAMES, classes)
    assert (refused.value.allowed, refused.value.got, refused.value.pointer) == (str(needed - 1), str(needed), "/params/layers")
    assert list(narrow.attention_gradients(x, NAMES[1:], classes).gradients) == NAMES[1:]
