"""The text fields of a one-line form become parameters, by the type of each field."""

from __future__ import annotations

import json
from typing import Any

import pytest

from schemas.errors import InvalidParameters
from schemas.methods import METHODS
from service.form_fields import read_form_fields
from service.one_line_forms import ONE_LINE_FORMS, form_base


def read(method: str, *fields: tuple[str, str]) -> dict[str, Any]:
    model = [("model", "vgg16")] if METHODS[method].card.needs_model else []
    return read_form_fields(method, [*model, *fields])[1].model_dump(exclude_unset=True)


@pytest.mark.parametrize(
    ("method", "name", "text", "value"),
    [
        ("grad_cam", "class_index", "285", 285),
        ("grad_cam", "class_index", "Egyptian cat", "Egyptian cat"),
        ("grad_cam", "class_index", "true", "true"),
        ("grad_cam", "class_index", "null", None),
        ("grad_cam", "class_index", "281,282", (281, 282)),
        ("grad_cam", "class_index", "281, 282", (281, 282)),
        ("grad_cam", "class_index", "tabby, tabby cat", "tabby, tabby cat"),
        ("grad_cam", "class_index", "tench,espresso", ("tench", "espresso")),
        ("grad_cam", "class_index", "281,espresso", (281, "espresso")),
        ("grad_cam", "class_index", '["tabby, tabby cat", 3]', ("tabby, tabby cat", 3)),
        ("grad_cam", "layer", "7", "7"),
        ("grad_cam", "layer", "base/conv", "base/conv"),
        ("grad_cam", "alpha", "1", 1.0),
        ("grad_cam", "alpha", "5e-1", 0.5),
        ("grad_cam", "sign", "-1", -1),
        ("filters", "channels", "all", "all"),
        ("filters", "channels", "8", 8),
        ("filters", "channels", "[8]", (8,)),
        ("filters", "channels", "1,5,9", (1, 5, 9)),
        ("filters", "neuron", "3,4,12", (3, 4, 12)),
        ("filters", "whole_layer", "true", True),
        ("filters", "whole_layer", "on", True),
        ("filters", "transforms", '{"jitter": 4}', {"jitter": 4}),
        ("filters", "learning_rate", "0.05", 0.05),
        ("activations", "layer", "block5_conv1,base/conv", ("block5_conv1", "base/conv")),
        ("activations", "layer", "block5_conv1", "block5_conv1"),
        ("activations", "kind", "conv", "conv"),
    ],
)
def test_one_field(method: str, name: str, text: str, value: object) -> None:
    found = read(method, (name, text))
    assert found == {name: value}
    assert type(found[name]) is type(value) or method == "activations"


def test_a_repeated_field_is_a_list() -> None:
    assert read("grad_cam", ("class_index", "2"), ("class_index", "tabby, tabby cat")) == {"class_index": (2, "tabby, tabby cat")}
    assert read("activations", ("layer", "a"), ("layer", "7")) == {"layer": ("a", "7")}


def test_an_empty_field_is_left_out() -> None:
    assert read("grad_cam", ("class_index", ""), ("alpha", "")) == {}


def test_priority_and_model_are_no_parameters() -> None:
    form, params = read_form_fields("grad_cam", [("model", "vgg16"), ("priority", "high")])
    assert (form.model, form.priority) == ("vgg16", "high")
    assert params.model_dump(exclude_unset=True) == {}


@pytest.mark.parametrize(
    ("method", "fields", "pointer", "words"),
    [
        ("grad_cam", [("alpha", "much")], "/alpha", "alpha must be a number; got much."),
        ("grad_cam", [("alpha", "0.1"), ("alpha", "0.2")], "/alpha", "alpha is given 2 times; once is allowed."),
        ("grad_cam", [("colormap", "vridis")], "/colormap", "Nearest: viridis."),
        ("grad_cam", [("class", "3")], "/class", "There is no field 'class' here. Nearest: class_index."),
        ("filters", [("channels", "1,x")], "/channels/1", "channels[1] must be an integer; got x."),
        ("filters", [("neuron", "3,4")], "/neuron/2", "neuron[2] is required."),
        ("filters", [("columns", "1.5")], "/columns", "columns must be an integer; got 1.5."),
        ("filters", [("transforms", '{"jiter": 1}')], "/transforms/jiter", "Nearest: jitter."),
        ("filters", [("columns", "65")], "/columns", "columns must be a number ≤ 64; got 65."),
        ("filters", [("channels", "[]")], "/channels", "channels must be an integer or a list of 1 or more values or all; got []."),
        ("filters", [("transforms", "jitter")], "/transforms", "transforms must be an object; got jitter."),
        ("filters", [("transforms", '{"jitter": 1')], "/transforms", 'transforms must be an object; got {"jitter": 1.'),
        ("filters", [("neuron", "1"), ("neuron", "2")], "/neuron/2", "neuron[2] is required."),
        ("grad_cam", [("alpha", "true")], "/alpha", "alpha must be a number; got true."),
        (
            "top_patches",
            [("images", "img_12")],
            "/images/0",
            "images[0] must be text that matches ^(img_",
        ),
        ("activations", [("layer", "a"), ("kind", "conv")], None, "give either layer or kind, "),
        ("grad_cam", [("priority", "now")], "/priority", "priority must be one of high, normal, low; got now."),
    ],
)
def test_an_error_names_the_wrong_field(method: str, fields: list[tuple[str, str]], pointer: str | None, words: str) -> None:
    with pytest.raises(InvalidParameters) as raised:
        read(method, *fields)
    assert raised.value.pointer == pointer
    assert words in raised.value.detail


def test_every_wrong_field_is_reported() -> None:
    with pytest.raises(InvalidParameters) as raised:
        read_form_fields("grad_cam", [("alpha", "2"), ("alpha", "3"), ("clas_index", "1"), ("colormap", "jett"), ("priority", "now")])
    assert {error.pointer: (error.allowed, error.nearest) for error in raised.value.errors} == {
        "/alpha": ("once", None),
        "/clas_index": (", ".join(ONE_LINE_FORMS["grad_cam"].model_fields), ("class_index",)),
        "/model": (None, None),
        "/priority": ("one of high, normal, low", ("low",)),
        "/colormap": ("one of jet, viridis, inferno, magma, plasma, turbo, hot, gray", ("jet",)),
    }


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_a_form_with_all_its_fields(method: str) -> None:
    fields = set(ONE_LINE_FORMS[method].model_fields)
    assert set(METHODS[method].model_fields) <= fields
    assert fields - set(METHODS[method].model_fields) == set(form_base(METHODS[method]).model_fields) | (
        {"image"} if METHODS[method].card.needs_image else set()
    )


@pytest.mark.parametrize("method", METHODS)
def test_every_methods_example_can_be_written_as_a_form(method: str) -> None:
    example = METHODS[method].card.example
    texts = [(name, value if isinstance(value, str) else "" if value is None else json.dumps(value)) for name, value in example.items()]
    given = METHODS[method].model_validate({name: value for name, value in example.items() if value is not None})
    assert read(method, *texts) == given.model_dump(exclude_unset=True)


def test_an_object_is_written_as_json() -> None:
    options = {"layer": None, "alpha": 0.5}
    assert read("faithfulness", ("options", json.dumps(options)))["options"] == options
