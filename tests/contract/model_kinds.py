"""Every kind of model that a file can hold, as one tiny file each. No input is square."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
from keras import layers

from tests import zoo
from tests.contract import transformers
from tests.workers.models import custom_layers
from tests.workers.models.entries import FIXTURES

FIRST = "channels_first"


@dataclass(frozen=True)
class ModelKind:
    """A kind of model, and the target of attributions on it.

    Attributes:
        make: writes the model's file into a folder.
        default: path of the model's default layer, if it has one.
        layer: path of the target layer. None means the default layer.
        output: name of the output whose classes are explained. None means the first.
        tokens: true if the target layer has tokens instead of a map.
        no_map: code and text of the error of methods that need a layer's map.
        no_class: code and text of the error of methods that explain a class.
        no_scores: code and text of the error of methods that list the scores of classes.
        no_relevance: code and text of the error of `lrp`.
        no_excitation: the same of `excitation_backprop`, if it is another one.
        no_attention: code and text of the error of methods that show attention. None means that the model has attention on its map.
        first_rule: rule of the first layer for `lrp`, where the default one would give every pixel the same relevance.
        no_field: true if a position of the target layer does not see a limited part of the photo.
    """

    make: Callable[[Path], None]
    default: str | None
    layer: str | None = None
    output: str | None = None
    tokens: bool = False
    no_map: tuple[str, str] | None = None
    no_class: tuple[str, str] | None = None
    no_scores: tuple[str, str] | None = None
    no_relevance: tuple[str, str] | None = None
    no_excitation: tuple[str, str] | None = None
    no_attention: tuple[str, str] | None = ("unsuitable_layer", "has no attention layer")
    first_rule: str | None = None
    no_field: bool = False


KINDS: dict[str, ModelKind] = {}
_Build = Callable[[], keras.Model]


def _add(name: str, build: _Build, default: str | None, suffix: str = ".keras", **more: Any) -> None:
    def make(folder: Path) -> None:
        keras.utils.clear_session()  # Keras numbers the names of layers and operations in a process, and the table names some of them.
        _for(build()).save(folder / f"{name}{suffix}")

    KINDS[name] = ModelKind(make, default, **more)


def _for(model: keras.Model) -> keras.Model:
    """Make the weights of dense layers positive, so that the features before them support every class."""
    for weight in model.weights:
        if len(weight.shape) == 2:
            weight.assign(abs(weight.numpy()))
    return model


def kind(default: str | None, **more: Any) -> Callable[[_Build], _Build]:
    def register(build: _Build) -> _Build:
        _add(build.__name__, lambda: zoo.seeded(build()), default, **more)
        return build

    return register


def _copied(source: str, name: str) -> Callable[[Path], None]:
    return lambda folder: shutil.copy(FIXTURES / source, folder / name)


def _no_rule(layer: str) -> tuple[str, str]:
    return "unsuitable_layer", f"Layer '{layer}' .* has no rule of relevance propagation"


for _name, _default, _more in (
    ("functional", "conv2", {}),
    ("sequential", "conv2", {}),
    ("nested", "base/conv2", {}),
    ("nested_head", "base/conv2", {}),
    ("shared_layer", "shared", {}),
    ("shared_model", "both", {"layer": "base/conv2"}),
    ("two_inputs", "conv2", {}),
    ("two_outputs", "conv2", {}),
    ("mixed_float16", "conv2", {}),
    ("mixed_bfloat16", "conv2", {}),
    ("grey", "conv2", {}),
    ("any_size", "conv2", {}),
    ("binary", "conv2", {}),
    ("multi_label", "conv2", {}),
    ("logits_head", "conv2", {}),
    ("softmax_activation", "conv2", {}),
    ("softmax_operation", "add", {"layer": "conv2"}),
    ("batch_norm", "relu2", {"no_field": True}),
    ("no_classes", "conv2", {"no_class": ("unknown_class", "has no class output")}),
):
    _add(_name, zoo.ZOO[_name], _default, **_more)
_add(
    "two_outputs_second",
    zoo.ZOO["two_outputs"],
    "conv2",
    output="number",
    layer="branch",
    no_scores=("invalid_parameters", "has no class output"),
)
_add("sequential_h5", zoo.ZOO["sequential"], "conv2", suffix=".h5")
KINDS["keras2"] = ModelKind(_copied("keras2_every_layer.h5", "keras2.h5"), "transposed", no_field=True)
KINDS["tensorflow213"] = ModelKind(
    _copied("tf213_everything.keras", "tensorflow213.keras"),
    "tf.math.add_n",
    layer="base/conv2",
    no_relevance=_no_rule("tf.math.reduce_std"),
)
KINDS["keras2_transfer"] = ModelKind(_copied("keras2_transfer.h5", "keras2_transfer.h5"), "vgg16/block2_conv1")


def _int8() -> keras.Model:
    """The dense layers hold int8 weights. Keras gives them the gradient of the weights that they stand for."""
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.GlobalAveragePooling2D(name="average")(layers.Conv2D(8, 3, activation="relu", name="conv")(photo))
    x = layers.Dense(8, activation="relu", name="hidden")(x)
    model = zoo.seeded(keras.Model(photo, layers.Dense(5, activation="softmax", name="scores")(x)))
    model.quantize("int8", filters="hidden|scores")
    return model


_add("int8", _int8, "conv")
_TOKENS: dict[str, Any] = {"tokens": True, "no_field": True, "no_attention": None}
_add("own_vit", lambda: zoo.seeded(custom_layers.keras_io_vit()), "norm", no_relevance=_no_rule("encoder"), **_TOKENS)
_add(
    "own_convnext",
    lambda: zoo.seeded(custom_layers.convnext_like()),
    "block1",
    no_field=True,
    no_relevance=_no_rule("dropped_path.*"),
    no_excitation=_no_rule("layer_normalization.*"),
)


@kind("last")
def channels_first() -> keras.Model:
    photo = keras.Input((3, 13, 9), name="photo")
    x = layers.Conv2D(6, 3, padding="same", data_format=FIRST, name="first")(photo)
    x = layers.ReLU(name="relu")(layers.BatchNormalization(axis=1, name="bn")(x))
    x = layers.Conv2D(8, (3, 2), activation="relu", data_format=FIRST, name="last")(layers.MaxPooling2D((2, 1), data_format=FIRST)(x))
    return keras.Model(photo, layers.Dense(5, activation="softmax", name="scores")(layers.Flatten(name="flatten")(x)))


@kind("conv", no_scores=("invalid_parameters", "has no class output"))
def regression() -> keras.Model:
    """The output is one number. It is explained where no target is given, and it has no classes to predict."""
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.Flatten(name="flatten")(layers.Conv2D(5, 3, activation="relu", name="conv")(photo))
    return keras.Model(photo, layers.Dense(1, name="age")(x))


@kind("depthwise")
def depthwise() -> keras.Model:
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.Conv2D(4, 3, activation="relu", name="conv")(photo)
    x = layers.DepthwiseConv2D((3, 2), depth_multiplier=2, activation="relu", name="depthwise")(x)
    return keras.Model(photo, layers.Dense(5, activation="softmax", name="scores")(layers.Flatten(name="flatten")(x)))


@kind("separable")
def separable() -> keras.Model:
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.SeparableConv2D(6, (3, 2), activation="relu", name="separable")(photo)
    return keras.Model(photo, layers.Dense(5, activation="softmax", name="scores")(layers.Flatten(name="flatten")(x)))


@kind("scores")
def no_dense() -> keras.Model:
    """There is no dense layer: the scores are the means of the last convolution's maps."""
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.Conv2D(6, 3, activation="relu", name="conv")(photo)
    x = layers.GlobalAveragePooling2D(name="average")(layers.Conv2D(5, (3, 2), name="scores")(x))
    return keras.Model(photo, layers.Softmax(name="softmax")(x))


@kind(None, no_map=("unsuitable_layer", "no layer with a spatial map"), first_rule="w_square")
def dense_alone() -> keras.Model:
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.Dense(16, activation="tanh", name="hidden")(layers.Flatten(name="flatten")(photo))
    return keras.Model(photo, layers.Dense(5, activation="softmax", name="scores")(x))


@kind("each", **_TOKENS)
def vision_transformer() -> keras.Model:
    """The head reads all tokens."""
    photo = keras.Input((12, 8, 3), name="photo")
    x = layers.LayerNormalization(name="norm")(transformers.block(transformers.block(transformers.tokens(photo), "block1"), "block2"))
    x = layers.Dense(7, activation="tanh", name="each")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(photo, layers.Dense(5, activation="softmax", name="head")(x))


_add("class_token", transformers.class_token, "block2_norm1", no_excitation=_no_rule("norm"), **_TOKENS)


@kind(
    "patches",
    layer="attention",
    tokens=True,
    no_field=True,
    no_map=("unsuitable_layer", "has no spatial map"),
    no_attention=("unsuitable_layer", "Layer 'attention' .* attends among tokens that are not the positions of one map"),
)
def attention_without_a_grid() -> keras.Model:
    """The tokens are rows of the map, so they form no map themselves."""
    photo = keras.Input((12, 8, 3), name="photo")
    rows = layers.Reshape((3, 24), name="rows")(layers.Conv2D(6, (4, 2), strides=(4, 2), name="patches")(photo))
    x = layers.MultiHeadAttention(2, 3, name="attention")(rows, rows)
    return keras.Model(photo, layers.Dense(5, activation="softmax", name="head")(layers.Flatten(name="flatten")(x)))


@kind("conv", no_relevance=("unsuitable_layer", "Layer 'mean' gives probabilities"))
def ensemble() -> keras.Model:
    """The output is the mean of two softmaxes, so it is probabilities and has no logits."""
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.Flatten(name="flatten")(layers.Conv2D(5, 3, activation="relu", name="conv")(photo))
    return keras.Model(photo, layers.Average(name="mean")([layers.Dense(5, activation="softmax", name=f"model{n}")(x) for n in range(2)]))
