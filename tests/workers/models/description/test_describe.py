from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest

from schemas.errors import ModelLoadFailed
from schemas.models import Layer, LayerKind, ModelDescription, Preprocessing
from tests.workers.models.entries import file_entry
from tests.zoo import HEAD, ZOO
from workers.engine.keras_internals import producer_of
from workers.models.description.describe import describe
from workers.models.description.layer_kinds import kind_of

layers = keras.layers


def described(model: keras.Model, **entry: Any) -> ModelDescription:
    return describe(model, file_entry(Path("hand_made.keras"), **entry)).description


def classifier() -> keras.Model:
    """13 × 9 pixels; a side branch that the class score never sees, and an activation of its own after the last conv."""
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.Rescaling(1 / 255, name="scale")(photo)
    x = layers.Conv2D(6, 3, strides=2, padding="same", name="conv")(x)
    side = layers.Conv2D(2, 1, name="side")(x)
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Dropout(0.3, name="drop")(x)
    x = layers.GlobalAveragePooling2D(keepdims=True, name="average")(x)
    x = layers.Conv2D(5, 1, name="classify")(x)
    x = layers.Flatten(name="flatten")(x)
    return keras.Model(photo, [layers.Softmax(name="scores")(x), side], name="classifier")


def test_a_hand_made_model() -> None:
    description = described(classifier(), title="By hand", preprocessing=Preprocessing.named("tf"))
    assert description.layer_at("conv") == Layer(
        path="conv",
        type="Conv2D",
        kind=LayerKind.CONV,
        output_shape=(7, 5, 6),
        parameters=3 * 3 * 3 * 6 + 6,
        channels=6,
        receptive_field={"size": (3, 3), "stride": (2, 2), "offset": (-1, -1)},  # type: ignore[arg-type]
        inbound=("scale",),
        cam_able=True,
        activation="linear",
        dtype="float32",
        calls=1,
    )
    assert [layer.path for layer in description.layers if layer.cam_able] == [
        "scale",
        "conv",
        "bn",
        "relu",
        "pool",
        "drop",
        "average",
        "classify",
    ]
    assert description.default_layer == "relu"
    assert description.input.model_dump() == {"name": "photo", "height": 13, "width": 9, "channels": 3}
    assert (description.head, description.classes, description.outputs) == ("softmax", 5, ("scores", "side"))
    assert description.parameters == 168 + 14 + 24 + 35
    assert (description.title, description.preprocessing.mode, description.source) == ("By hand", "tf", "file")
    dense = [layer for layer in description.layers if len(layer.output_shape) == 1]
    assert [(layer.path, layer.channels, layer.receptive_field) for layer in dense] == [("flatten", 5, None), ("scores", 5, None)]


def test_activations_types_and_calls() -> None:
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.Conv2D(3, 3, padding="same", activation="relu", dtype="mixed_bfloat16", name="twice")
    x = layers.Conv2D(4, 1, activation=layers.LeakyReLU(name="leak"), name="leaky")(x(x(photo)))
    x = keras.ops.softmax(layers.Dense(5, name="scores")(layers.Flatten(name="flat")(layers.ReLU(name="relu")(x))))
    found = {layer.path: (layer.activation, layer.dtype, layer.calls) for layer in described(keras.Model(photo, x)).layers}
    (softmax,) = (path for path in found if path.startswith("softmax"))
    assert found == {
        "photo": (None, "float32", 1),
        "twice": ("relu", "bfloat16", 2),
        "leaky": ("leak", "float32", 1),
        "relu": (None, "float32", 1),
        "flat": (None, "float32", 1),
        "scores": ("linear", "float32", 1),
        softmax: (None, "float32", 1),
    }


def test_layers_inside_a_model_that_is_called_twice() -> None:
    description = described(ZOO["shared_model"]())
    assert {layer.path: layer.calls for layer in description.layers if layer.path.startswith("base")} == {
        "base": 2,
        "base/inner_photo": 2,
        "base/conv1": 2,
        "base/pool1": 2,
        "base/conv2": 2,
    }
    assert description.layer_at("base").dtype == "float32"


def test_every_output_has_its_head_and_its_own_default_layer() -> None:
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.Conv2D(6, 3, activation="relu", name="trunk")(photo)
    kind = layers.Dense(5, activation="softmax", name="kind")(layers.Flatten(name="flat")(layers.Conv2D(4, 2, name="own")(x)))
    branch = layers.Conv2D(2, 3, name="branch")(x)
    answer = layers.Dense(1, activation="sigmoid", name="answer")(layers.Flatten(name="flat2")(branch))
    description = described(keras.Model(photo, [kind, answer, branch]))
    assert [tuple(head.model_dump().values()) for head in description.heads] == [
        ("kind", 5, "softmax", "own"),
        ("answer", 1, "sigmoid", "branch"),
        ("branch", None, "none", None),
    ]
    assert (description.classes, description.head, description.default_layer) == (5, "softmax", "own")
    assert description.head_at(None) == description.head_at("kind") == description.heads[0]


def test_the_photo_goes_to_the_first_input_that_takes_one_or_the_one_named() -> None:
    numbers = keras.Input((4,), name="numbers")
    left, right = keras.Input((13, 9, 3), name="left"), keras.Input((7, 5, 1), name="right")
    pooled = [layers.GlobalAveragePooling2D(name=f"mean_{side.name}")(side) for side in (left, right)]
    model = keras.Model([numbers, left, right], layers.Dense(2, name="scores")(layers.Concatenate(name="all")([numbers, *pooled])))
    description = described(model)
    assert description.input.model_dump() == {"name": "left", "height": 13, "width": 9, "channels": 3}
    assert description.other_inputs == ("numbers", "right")
    description = described(model, input="right")
    assert description.input.model_dump() == {"name": "right", "height": 7, "width": 5, "channels": 1}
    assert description.other_inputs == ("numbers", "left")
    with pytest.raises(ModelLoadFailed, match=r"takes an input of shape \(None, 4\)"):
        described(model, input="numbers")
    with pytest.raises(ModelLoadFailed, match="no input 'middle', which its settings name, only numbers, left, right"):
        described(model, input="middle")


def test_a_given_default_layer_wins() -> None:
    assert described(classifier(), default_layer="pool").default_layer == "pool"
    with pytest.raises(ModelLoadFailed, match=r"no layer 'pol', which its settings name\. Nearest: pool"):
        described(classifier(), default_layer="pol")


def test_labels_are_counted(tmp_path: Path) -> None:
    (tmp_path / "labels.txt").write_text("a\nb\nc\nd\ne\n")
    entry = file_entry(Path("hand_made.keras"), labels=tmp_path / "labels.txt", digest="abc")
    published = describe(classifier(), entry)
    assert (published.labels, published.digest) == (("a", "b", "c", "d", "e"), "abc")
    (tmp_path / "labels.txt").write_text("a\nb\n")
    with pytest.raises(ModelLoadFailed, match="name 2 classes, but the model has 5"):
        describe(classifier(), entry)


def test_the_input_size() -> None:
    free = keras.Sequential([keras.Input((None, 9, 1)), layers.Conv2D(2, 3), layers.GlobalMaxPooling2D(), layers.Dense(2)])
    spec = described(free).input
    assert (spec.height, spec.width, spec.channels) == (None, 9, 1)
    spec = described(free, input_size=(40, 9)).input
    assert (spec.height, spec.width) == (40, 9)
    with pytest.raises(ModelLoadFailed, match="takes None × 9 pixels, but its settings say 40 × 30"):
        described(free, input_size=(40, 30))


@pytest.mark.parametrize("shape", [(13, 9, 4), (13,), (13, 9), (4, 13, 9, 3)])
def test_a_model_that_takes_no_photo_is_refused(shape: tuple[int, ...]) -> None:
    model = keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(2)])
    with pytest.raises(ModelLoadFailed, match="a photo gives"):
        described(model)


def test_without_a_class_output_nothing_is_cam_able() -> None:
    model = keras.Sequential([keras.Input((13, 9, 3)), layers.Conv2D(2, 3, name="conv")])
    description = described(model)
    assert (description.head, description.classes, description.default_layer) == ("none", None, "conv")
    assert not any(layer.cam_able for layer in description.layers)


def test_a_map_of_one_position_is_the_default_only_where_there_is_no_other() -> None:
    stack = [layers.Conv2D(4, (13, 9), name="whole"), layers.ReLU(name="relu"), layers.Flatten(), layers.Dense(3)]
    assert described(keras.Sequential([keras.Input((13, 9, 3)), *stack])).default_layer == "relu"


def test_a_model_without_maps_has_no_default_layer() -> None:
    model = keras.Sequential([keras.Input((13, 9, 3)), layers.Rescaling(2.0), layers.Flatten(), layers.Dense(3)])
    assert described(model).default_layer is None


@pytest.mark.parametrize("name", ZOO)
def test_every_kind_of_model_is_described(name: str) -> None:
    model = ZOO[name]()
    if len(model.inputs[0].shape) != 4:
        pytest.skip("its first input is no image")
    description = described(model)
    assert description.head == HEAD[name]
    paths = [layer.path for layer in description.layers]
    assert len(set(paths)) == len(paths)
    for position, layer in enumerate(description.layers):
        assert set(layer.inbound) <= set(paths[:position]), f"{layer.path} stands before what it reads"
    if description.default_layer is not None:
        assert description.layer_at(description.default_layer).cam_able == (description.classes is not None)
    assert ModelDescription.model_validate_json(description.model_dump_json()) == description


@pytest.mark.parametrize(
    ("layer", "kind"),
    [
        (layers.InputLayer((3,)), "input"),
        (layers.SeparableConv2D(1, 1), "conv"),
        (layers.Conv2DTranspose(1, 1), "conv"),
        (layers.Dense(1), "dense"),
        (layers.LeakyReLU(), "activation"),
        (layers.Activation("relu"), "activation"),
        (layers.GroupNormalization(), "normalization"),
        (layers.GlobalMaxPooling2D(), "pooling"),
        (layers.Concatenate(), "merge"),
        (layers.ZeroPadding2D(), "reshape"),
        (layers.UpSampling2D(), "reshape"),
        (layers.SpatialDropout2D(0.1), "regularization"),
        (layers.Normalization(), "preprocessing"),
        (layers.RandomFlip(), "preprocessing"),
        (layers.LSTM(1), "recurrent"),
        (layers.MultiHeadAttention(1, 1), "attention"),
        (keras.Sequential(), "model"),
        (layers.Embedding(1, 1), "other"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_kinds(layer: keras.Layer, kind: str) -> None:
    assert kind_of(layer) == kind


def test_kinds_of_operations_and_of_a_layer_of_ones_own() -> None:
    class MyConv(layers.Conv2D):
        pass

    x = keras.Input((5, 5, 2))
    made = {
        "activation": keras.ops.relu(x),
        "merge": x + x,
        "reshape": keras.ops.reshape(x, (-1, 50)),
        "pooling": keras.ops.max_pool(x, 2),
        "other": keras.ops.cos(x),
    }
    assert {kind: kind_of(producer_of(tensor)) for kind, tensor in made.items()} == {kind: kind for kind in made}
    assert kind_of(MyConv(1, 1)) == "conv"
