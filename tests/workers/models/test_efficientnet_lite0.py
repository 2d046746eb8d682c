"""The built-in model predicts what its authors' weights predict, and is described correctly."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from catalog.catalog import load_catalog
from workers.engine.graph import Graph
from workers.models.description.describe import describe
from workers.models.labels import load_labels
from workers.models.loading import load_model
from workers.models.preprocessing import prepare

FIXTURES = Path(__file__).parent / "fixtures"
SAMPLES = Path(__file__).parents[3] / "samples"
ENTRY = load_catalog(Path("none.toml"), Path("none")).entry("efficientnet_lite0")


@pytest.fixture(scope="module")
def model():
    return load_model(ENTRY)


@pytest.mark.parametrize(
    ("photo", "top"),
    [(SAMPLES / "cat.jpg", {285: 0.39, 282: 0.33, 281: 0.16}), (FIXTURES / "coffee.jpg", {967: 0.94})],
    ids=["cat", "coffee"],
)
def test_its_predictions_are_the_known_ones(model, photo: Path, top: dict[int, float]) -> None:
    tensor, _ = prepare(np.asarray(Image.open(photo)), ENTRY.preprocessing, (224, 224), 3)
    probabilities = np.asarray(model(tensor[None], training=False))[0]
    best = np.argsort(probabilities)[::-1][: len(top)]
    assert list(best) == list(top)
    np.testing.assert_allclose(probabilities[best], list(top.values()), atol=0.02)


def test_labels_are_in_the_order_of_its_classes() -> None:
    labels = load_labels("imagenet", 1000)
    assert [labels[index] for index in (0, 285, 967, 999)] == [
        "tench, Tinca tinca",
        "Egyptian cat",
        "espresso",
        "toilet tissue, toilet paper, bathroom tissue",
    ]


def test_its_layers_are_named_by_block_as_in_the_checkpoint(model) -> None:
    description = describe(model, ENTRY).description
    added = [layer.path for layer in description.layers if layer.type == "Add"]
    assert added == [f"block{index}_add" for index in (2, 4, 6, 7, 9, 10, 12, 13, 14)]  # the repeated blocks of EfficientNet-B0
    assert description.layer_at("block5_expand_conv").output_shape == (28, 28, 240)
    assert description.layer_at("block8_project_bn").output_shape == (14, 14, 112)
    assert description.layer_at("block11_expand_conv").channels == 672
    assert (description.default_layer, description.layer_at("head_relu").output_shape) == ("head_relu", (7, 7, 1280))
    assert (description.head, description.classes, description.parameters) == ("softmax", 1000, 4_694_024)
    assert (description.input.height, description.input.width, description.input.channels) == (224, 224, 3)


def test_its_convolutions_take_an_image_of_another_size(model) -> None:
    tensor = np.zeros((2, 96, 160, 3), np.float32)
    assert Graph(model).run(tensor, ["head_relu"])["head_relu"].shape == (2, 3, 5, 1280)
