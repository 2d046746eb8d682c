"""`resolve` fills in what depends on the model, and checks what only the model's description can tell."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from schemas import errors
from schemas.limits import MethodLimits
from schemas.methods import METHODS, family_of, params_class
from schemas.methods.base import MethodParams
from schemas.models import LayerKind, Preprocessing
from tests.schemas.tiny import LABELS, layer, published, transformer

LIMITS = MethodLimits()
NEAR = ("block5_conv3", "block5_conv1")


def resolved(method: str, *, limits: MethodLimits = LIMITS, model: dict[str, Any] | None = None, **params: Any) -> Any:
    return METHODS[method].model_validate(params).resolve(published(**(model or {})), limits)


@pytest.mark.parametrize("method", METHODS)
def test_every_example_resolves_and_a_second_resolve_changes_nothing(method: str) -> None:
    model = transformer() if family_of(method) == "attention" else published()
    first = METHODS[method].model_validate(METHODS[method].card.example).resolve(model, LIMITS)
    assert isinstance(first, MethodParams)
    again = METHODS[method].model_validate_json(first.model_dump_json()).resolve(model, LIMITS)
    assert again == first


@pytest.mark.parametrize("method", METHODS)
def test_every_card_is_whole(method: str) -> None:
    card = METHODS[method].card
    assert card.name == method
    assert sum(spec.primary for spec in card.artifacts) == 1
    assert len({spec.name for spec in card.artifacts}) == len(card.artifacts)
    assert card.reference
    assert all(info.description for name, info in METHODS[method].model_fields.items() if name not in PLAIN)


PLAIN = {"parametrisation", "size", "steps", "learning_rate", "transforms", "regularisers", "seed", "colormap"}


def test_grad_cam_is_completed() -> None:
    params = resolved("grad_cam")
    assert (params.layer, params.class_index, params.alpha, params.colormap) == ("block5_conv3", None, 0.6, "turbo")
    assert resolved("grad_cam", class_index="ESPRESSO").class_index == 4
    assert resolved("grad_cam", class_index=["tench", 2, "tabby cat"]).class_index == (0, 2, 1)
    assert resolved("grad_cam", layer="base/conv").layer == "base/conv"


@pytest.mark.parametrize("preset", ["dlwp1", "keras_io"])
def test_grad_cam_presets_fix_their_colours(preset: str) -> None:
    params = resolved("grad_cam", preset=preset, colormap="gray", alpha=0.9)
    assert (params.colormap, params.alpha) == ("jet", 0.4)


def test_sign_is_for_binary_heads() -> None:
    binary = {"classes": 2, "head": "binary"}
    for negative in ({"sign": -1}, {"class_index": 0}, {"sign": -1, "class_index": "Tench"}):
        params = resolved("grad_cam", model=binary, **negative)
        assert (params.class_index, params.sign) == (0, 1)
    with pytest.raises(errors.InvalidParameters, match="negative answer, which is class_index 0; got class_index 1"):
        resolved("grad_cam", model=binary, sign=-1, class_index=1)
    with pytest.raises(errors.InvalidParameters, match="one sigmoid output") as raised:
        resolved("grad_cam", sign=-1)
    assert raised.value.pointer == "/params/sign"


@pytest.mark.parametrize(
    ("method", "params", "error", "pointer", "nearest"),
    [
        ("grad_cam", {"layer": "block5_conv9"}, errors.UnknownLayer, "/params/layer", NEAR),
        ("grad_cam", {"layer": "predictions"}, errors.UnsuitableLayer, "/params/layer", ("block5_conv1", "block5_conv3", "base/conv")),
        ("grad_cam", {"class_index": -1}, errors.UnknownClass, "/params/class_index", ()),
        ("grad_cam", {"class_index": [0, 5]}, errors.UnknownClass, "/params/class_index", ()),
        ("grad_cam", {"class_index": "Egyptian"}, errors.UnknownClass, "/params/class_index", ("Egyptian cat",)),
        ("grad_cam", {"class_index": [0] * 17}, errors.LimitExceeded, "/params/class_index", ()),
        (
            "activations",
            {"layer": ["block5_conv1", "block5_conv2"]},
            errors.UnknownLayer,
            "/params/layer",
            ("block5_conv3", "block5_conv1"),
        ),
        ("activations", {"kind": "attention"}, errors.InvalidParameters, "/params/kind", ()),
        ("activations", {"layer": "base/conv", "channels": [1, 2]}, errors.UnknownChannel, "/params/channels", ()),
        ("filters", {"layer": "nowhere"}, errors.UnknownLayer, "/params/layer", ()),
        ("filters", {"channels": [7, 8]}, errors.UnknownChannel, "/params/channels", ()),
        ("filters", {"channels": 9}, errors.UnknownChannel, "/params/channels", ()),
        ("filters", {"channels": 0}, errors.UnknownChannel, "/params/channels", ()),
        ("filters", {"neuron": [0, 0, 8]}, errors.UnknownChannel, "/params/neuron", ()),
        ("filters", {"layer": "average", "neuron": [0, 0, 0]}, errors.UnsuitableLayer, "/params/layer", ()),
        ("filters", {"class_index": 9}, errors.UnknownClass, "/params/class_index", ()),
        ("filters", {"size": 513}, errors.LimitExceeded, "/params/size", ()),
        ("filters", {"steps": 2049}, errors.LimitExceeded, "/params/steps", ()),
        ("filters", {"channels": "all", "size": 512, "steps": 2048}, errors.LimitExceeded, "/params", ()),
        ("filters", {"size": 16, "transforms": {"jitter": 16}}, errors.InvalidParameters, "/params/transforms/jitter", ()),
    ],
)
def test_parameters_that_the_model_does_not_allow(
    method: str, params: dict[str, Any], error: type[errors.VisualizationError], pointer: str, nearest: tuple[str, ...]
) -> None:
    with pytest.raises(error) as raised:
        resolved(method, **params)
    assert (raised.value.pointer, raised.value.nearest) == (pointer, nearest)


def test_a_model_without_a_map_needs_a_layer() -> None:
    with pytest.raises(errors.UnsuitableLayer, match="Name a layer"):
        resolved("grad_cam", model={"default_layer": None})
    assert resolved("filters", model={"default_layer": None}, class_index=3).class_index == 3


@pytest.mark.parametrize("method", ["predict", "grad_cam"])
def test_a_model_without_classes(method: str) -> None:
    with pytest.raises(errors.VisualizationError, match="has no class output"):
        resolved(method, model={"classes": None, "head": "none"})


TWO_OUTPUTS: dict[str, Any] = {
    "outputs": ("predictions", "answer", "depth"),
    "heads": (
        {"name": "predictions", "classes": len(LABELS), "head": "softmax", "default_layer": "block5_conv3"},
        {"name": "answer", "classes": 2, "head": "binary", "default_layer": "block5_conv1"},
        {"name": "depth", "classes": None, "head": "none", "default_layer": None},
    ),
}


def test_the_named_output_decides_the_classes_and_the_default_layer() -> None:
    second = resolved("grad_cam", model=TWO_OUTPUTS, output="answer", class_index=1)
    assert (second.layer, second.class_index, second.output) == ("block5_conv1", 1, "answer")
    first = resolved("grad_cam", model=TWO_OUTPUTS, output="predictions", class_index="Egyptian cat")
    assert (first.layer, first.class_index) == ("block5_conv3", 2)
    assert resolved("predict", model=TWO_OUTPUTS, output="answer").top == 2
    assert resolved("eigen_cam", model=TWO_OUTPUTS, output="answer").layer == "block5_conv1"


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"output": "answers"}, errors.InvalidParameters, "has no output 'answers'. Its outputs are: predictions, answer, depth"),
        ({"output": "answer", "class_index": 2}, errors.UnknownClass, "has 2 classes: class_index must be 0 to 1, got 2"),
        ({"output": "answer", "class_index": "Egyptian cat"}, errors.UnknownClass, "has no labels"),
        ({"output": "predictions", "sign": -1}, errors.InvalidParameters, "sign of -1 is only allowed for a model with one sigmoid output"),
        ({"output": "depth", "layer": "block5_conv1"}, errors.UnknownClass, "no class output"),
        ({"output": "depth"}, errors.UnknownClass, "no class output"),
        ({"output": "answer", "layer": "average"}, errors.UnsuitableLayer, "no spatial map"),
    ],
)
def test_parameters_that_an_output_does_not_allow(params: dict[str, Any], error: type[errors.VisualizationError], message: str) -> None:
    with pytest.raises(error, match=message):
        resolved("grad_cam", model=TWO_OUTPUTS, **params)


def test_only_the_first_output_has_labels() -> None:
    model = published(**TWO_OUTPUTS)
    assert model.label_of(2) == model.label_of(2, "predictions") == "Egyptian cat"
    assert model.label_of(0, "answer") is None


def test_predict_lists_at_most_all_classes() -> None:
    assert resolved("predict").top == len(LABELS)
    assert resolved("predict", top=2).top == 2


def test_activations_of_one_layer_several_layers_or_all_of_a_kind() -> None:
    assert resolved("activations").layer == "block5_conv3"
    assert resolved("activations", layer="average").layer_paths() == ("average",)
    assert resolved("activations", layer=["base/conv", "input", "base/conv"]).layer == ("base/conv", "input")
    of_kind = resolved("activations", kind="conv")
    assert (of_kind.layer, of_kind.kind) == (("block5_conv1", "block5_conv3", "base/conv"), None)
    with pytest.raises(errors.LimitExceeded) as raised:
        resolved("activations", kind="conv", limits=MethodLimits(max_layers=2))
    assert raised.value.pointer == "/params/kind"


def test_filters_take_their_numbers_from_the_preset() -> None:
    default = resolved("filters")
    assert (default.channels, default.parametrisation, default.size, default.steps) == (tuple(range(8)), "fourier", 128, 128)
    assert (default.learning_rate, default.transforms.jitter, default.columns) == (0.05, 12, None)
    book = resolved("filters", preset="dlwp1", steps=7)
    assert (book.parametrisation, book.size, book.steps, book.learning_rate, book.columns) == ("pixel", 64, 7, 1.0, 8)
    assert (book.transforms.jitter, book.regularisers.l2) == (0, 0.0)


def test_filters_objectives() -> None:
    assert resolved("filters", channels=3).channels == (0, 1, 2)
    assert resolved("filters", channels=[5, 1]).channels == (5, 1)
    assert resolved("filters", channels="all", layer="base/conv").channels == (0, 1)
    assert resolved("filters", neuron=[4, 6, 7]).channels is None
    assert resolved("filters", whole_layer=True).channels is None
    classes = resolved("filters", class_index=["espresso", 0])
    assert (classes.class_index, classes.layer, classes.channels) == ((4, 0), None, None)


def test_filters_need_a_channel_axis() -> None:
    scalar = layer("score", LayerKind.OTHER, (1,), ("input",)).model_copy(update={"output_shape": (), "channels": None})
    with pytest.raises(errors.UnsuitableLayer, match="no channel axis"):
        resolved("filters", layer="score", model={"layers": (scalar,)})


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("filters", {"channels": 2, "class_index": 1}, "got channels and class_index"),
        ("filters", {"whole_layer": True, "neuron": [0, 0, 0]}, "got neuron and whole_layer"),
        ("filters", {"class_index": 1, "layer": "block5_conv1"}, "leave layer out"),
        ("activations", {"layer": "a", "kind": "conv"}, "not both"),
        ("activations", {"layer": []}, "at least 1"),
        ("grad_cam", {"class_index": "x" * 257}, "at most 256"),
        ("grad_cam", {"colour": "jet"}, "Extra inputs"),
        ("filters", {"transforms": {"shear": 1}}, "Extra inputs"),
        ("predict", {"top": 0}, "greater than or equal to 1"),
    ],
)
def test_parameters_that_are_wrong_for_every_model(method: str, params: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        METHODS[method].model_validate(params)


def test_a_misspelt_method_is_refused_with_the_nearest() -> None:
    with pytest.raises(errors.UnknownMethod) as raised:
        params_class("grad-cam")
    assert (raised.value.pointer, raised.value.nearest[0]) == ("/method", "grad_cam")


@pytest.mark.parametrize(("mode", "first"), [("caffe", (10 - 103.939) / 1), ("tf", 10 / 127.5 - 1), ("none", 10.0)])
def test_a_named_preprocessing_has_its_numbers(mode: Any, first: float) -> None:
    preprocessing = Preprocessing.named(mode)
    assert (10 - preprocessing.mean[0]) / preprocessing.std[0] == pytest.approx(first)


def test_torch_preprocessing_has_imagenets_numbers_in_units_of_0_to_255() -> None:
    torch = Preprocessing.named("torch")
    assert torch.mean == pytest.approx([255 * mean for mean in (0.485, 0.456, 0.406)])
    assert torch.std == pytest.approx([255 * std for std in (0.229, 0.224, 0.225)])
