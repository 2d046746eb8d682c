"""A loaded model is described completely and correctly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import pytest

from schemas.errors import ModelLoadFailed
from schemas.models import Layer, LayerKind, ModelDescription, Preprocessing
from tests.workers.models.description.hand_made import classifier, described
from tests.workers.models.entries import file_entry
from tests.zoo import HEAD, ZOO
from workers.models.description.describe import describe

layers = keras.layers


FREE = {"remainder": 0, "longest": 512, "multiple": 1, "smallest": 1}


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
    assert description.input.model_dump() == {"name": "photo", "height": 13, "width": 9, "channels": 3, "layout": "nhwc"} | FREE
    assert (description.head, description.classes, description.outputs) == ("softmax", 5, ("scores", "side"))
    assert description.parameters == 168 + 14 + 24 + 35
    assert (description.title, description.preprocessing.mode, description.source) == ("By hand", "tf", "file")
    dense = [layer for layer in description.layers if len(layer.output_shape) == 1]
    assert [(layer.path, layer.channels, layer.receptive_field) for layer in dense] == [("flatten", 5, None), ("scores", 5, None)]


def test_every_output_has_its_head_and_its_own_default_layer() -> None:
    photo = keras.Input((13, 9, 3), name="photo")
    x = layers.Conv2D(6, 3, activation="relu", name="trunk")(photo)
    kind = layers.Dense(5, activation="softmax", name="kind")(layers.Flatten(name="flat")(layers.Conv2D(4, 2, name="own")(x)))
    branch = layers.Conv2D(2, 3, name="branch")(x)
    answer = layers.Dense(1, activation="sigmoid", name="answer")(layers.Flatten(name="flat2")(branch))
    description = described(keras.Model(photo, [kind, answer, branch]))
    assert [tuple(head.model_dump().values()) for head in description.heads] == [
        ("kind", 5, "softmax", "own", None, "classes", (5,), "kind"),
        ("answer", 2, "binary", "branch", None, "classes", (1,), "answer"),
        ("branch", None, "none", "trunk", 2, "dense_classes", (9, 5, 2), "branch"),
    ]
    assert (description.classes, description.head, description.default_layer) == (5, "softmax", "own")
    assert description.head_at(None) == description.head_at("kind") == description.heads[0]


def test_the_image_goes_to_the_first_suitable_input_or_to_the_named_one() -> None:
    numbers = keras.Input((4,), name="numbers")
    left: Any = keras.Input((13, 9, 3), name="left")
    right: Any = keras.Input((7, 5, 1), name="right")
    pooled = [layers.GlobalAveragePooling2D(name=f"mean_{side.name}")(side) for side in (left, right)]
    model = keras.Model([numbers, left, right], layers.Dense(2, name="scores")(layers.Concatenate(name="all")([numbers, *pooled])))
    description = described(model)
    assert description.input.model_dump() == {"name": "left", "height": 13, "width": 9, "channels": 3, "layout": "nhwc"} | FREE
    assert description.other_inputs == ("numbers", "right")
    description = described(model, input="right")
    assert description.input.model_dump() == {"name": "right", "height": 7, "width": 5, "channels": 1, "layout": "nhwc"} | FREE
    assert description.other_inputs == ("numbers", "left")
    with pytest.raises(ModelLoadFailed, match=r"takes an input of shape \(None, 4\)"):
        described(model, input="numbers")
    with pytest.raises(ModelLoadFailed, match="name the input 'middle', but its inputs are: numbers, left, right"):
        described(model, input="middle")


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


@pytest.mark.parametrize("shape", [(13, 9, None), (13,), (13, 9), (4, 13, 9, 3)])
def test_a_model_that_takes_no_image_is_refused(shape: tuple[int, ...]) -> None:
    model = keras.Sequential([keras.Input(shape), layers.Lambda(lambda x: keras.ops.mean(x, axis=-1)), layers.Flatten()])
    with pytest.raises(ModelLoadFailed, match="an image gives"):
        described(model)


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
