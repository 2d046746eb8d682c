"""Tokens of vision transformers are recognised as the positions of a map."""

from __future__ import annotations

import keras

from schemas.models import TokenGrid
from workers.engine.graph import Graph
from workers.models.description.default_layer import default_layer
from workers.models.description.describe_layers import describe_layers

layers = keras.layers


def block(x: keras.KerasTensor, name: str) -> keras.KerasTensor:
    normed = layers.LayerNormalization(name=f"{name}_norm1")(x)
    x = layers.Add(name=f"{name}_add1")([x, layers.MultiHeadAttention(2, 3, name=f"{name}_attention")(normed, normed)])
    hidden = layers.Dense(7, activation="gelu", name=f"{name}_hidden")(layers.LayerNormalization(name=f"{name}_norm2")(x))
    return layers.Add(name=f"{name}_add2")([x, layers.Dense(6, name=f"{name}_out")(hidden)])


def vision_transformer(*, class_token: bool) -> keras.Model:
    """Return a transformer of 12 × 8 pixels with patches of 4 × 2, which form a grid of 3 × 4."""
    photo = keras.Input((12, 8, 3), name="photo")
    x = layers.Reshape((12, 6), name="tokens")(layers.Conv2D(6, (4, 2), strides=(4, 2), name="patches")(photo))
    if class_token:
        x = layers.ZeroPadding1D((1, 0), name="class_token")(x)
    x = block(block(x, "block1"), "block2")
    x = layers.LayerNormalization(name="norm")(x)
    x = x[:, 0] if class_token else layers.GlobalAveragePooling1D(name="gap")(x)
    return keras.Model(photo, layers.Dense(5, activation="softmax", name="head")(x))


def test_tokens_are_a_map_from_patches_to_head() -> None:
    described = {layer.path: layer for layer in describe_layers(Graph(vision_transformer(class_token=False)))}
    grid = TokenGrid(height=3, width=4)
    with_grid = {path for path, layer in described.items() if layer.token_grid == grid}
    assert with_grid == set(described) - {"photo", "patches", "gap", "head"}
    assert all(described[path].cam_able for path in with_grid)
    assert not described["gap"].cam_able
    assert default_layer(tuple(described.values())) == "norm"


def test_a_class_token_stands_before_the_map() -> None:
    described = {layer.path: layer for layer in describe_layers(Graph(vision_transformer(class_token=True)))}
    assert described["tokens"].token_grid == TokenGrid(height=3, width=4, before=0)
    assert described["block2_add2"].token_grid == TokenGrid(height=3, width=4, before=1)
    # After the last attention only the class token is read, so no gradient reaches the other tokens.
    assert default_layer(tuple(described.values())) == "block2_norm1"


def test_tokens_that_are_no_map_have_no_grid() -> None:
    photo = keras.Input((12, 8, 3), name="photo")
    x = layers.Conv2D(6, 3, padding="same", name="conv")(photo)
    rows = layers.Reshape((12, 48), name="rows")(x)
    turned = layers.Permute((2, 1), name="turned")(layers.Reshape((96, 6), name="tokens")(x))
    both = layers.Concatenate(axis=1, name="twice")([layers.Reshape((96, 6), name="again")(x)] * 2)
    outputs = [layers.Flatten()(each) for each in (rows, turned, both, layers.LSTM(2, return_sequences=True, name="lstm")(rows))]
    described = {
        layer.path: layer.token_grid
        for layer in describe_layers(Graph(keras.Model(photo, layers.Dense(2)(layers.Concatenate()(outputs)))))
        if layer.token_grid
    }
    assert set(described) == {"tokens", "again"}


def test_class_tokens_are_counted_when_they_are_added_and_cut() -> None:
    photo, extra = keras.Input((4, 6, 3), name="photo"), keras.Input((2, 3), name="extra")
    x = layers.Concatenate(axis=1, name="joined")([extra, layers.Reshape((24, 3), name="tokens")(photo)])
    cut = layers.Cropping1D((1, 0), name="cut")(x)
    too_much = layers.Cropping1D((1, 1), name="too_much")(x)
    model = keras.Model([photo, extra], [layers.Flatten()(cut), layers.Flatten()(too_much)])
    grids = {layer.path: layer.token_grid for layer in describe_layers(Graph(model))}
    assert (grids["joined"], grids["cut"]) == (TokenGrid(height=4, width=6, before=2), TokenGrid(height=4, width=6, before=1))
    assert grids["too_much"] is None
