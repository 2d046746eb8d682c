"""A published model's classes and layers are found by name; the error for an unknown one has the nearest names."""

from __future__ import annotations

import pytest

from schemas.errors import UnknownClass, UnknownLayer
from tests.schemas.tiny import LABELS, published


@pytest.mark.parametrize(
    ("value", "index"),
    [
        (0, 0),
        (4, 4),
        ("Egyptian cat", 2),
        (" egyptian CAT ", 2),
        ("tabby, tabby cat", 1),
        ("tabby cat", 1),
        ("Tinca tinca", 0),
        ("brindled cat", 3),
    ],
)
def test_a_class_by_index_or_label(value: int | str, index: int) -> None:
    assert published().class_index_of(value) == index


@pytest.mark.parametrize(
    ("value", "words", "nearest"),
    [
        (5, "has 5 classes: class_index must be 0 to 4, got 5", ()),
        (-1, "0 to 4", ()),
        ("tabby", r"several classes: 1 \(tabby, tabby cat\), 3 \(tabby, brindled cat\)", ()),
        ("egyptian dog", "Nearest: Egyptian cat", ("Egyptian cat",)),
        ("zzz", "Search /v1/models/vgg16/labels", ()),
    ],
)
def test_an_unknown_class_is_refused(value: int | str, words: str, nearest: tuple[str, ...]) -> None:
    with pytest.raises(UnknownClass, match=words) as raised:
        published().class_index_of(value, "/params/class_index/0")
    assert (raised.value.pointer, raised.value.got, raised.value.nearest) == ("/params/class_index/0", str(value), nearest)


def test_a_whole_label_wins_over_a_synonym_of_another_class() -> None:
    model = published(("crane", "crane, bird", "x", "y", "z"))
    assert model.class_index_of("crane") == 0
    assert model.class_index_of("bird") == 1


def test_without_labels_a_class_needs_a_number() -> None:
    model = published(())
    assert model.class_index_of(3) == 3
    assert model.label_of(3) is None
    with pytest.raises(UnknownClass, match=r"has no labels\. Give class_index as a number"):
        model.class_index_of("cat")


def test_a_model_with_targets_describes_its_first_output_anew() -> None:
    """The head of the first output is a cached property, which a plain copy by pydantic would take over."""
    model = published()
    assert model.description.head_at(None).classes == 5
    explained = model.with_targets(("a region", "an element"))
    assert (explained.description.head_at(None).head, explained.description.head_at(None).classes) == ("none", 2)
    assert model.description.head_at(None).classes == 5


def test_labels_by_index() -> None:
    assert [published().label_of(index) for index in (0, 4, 5)] == [LABELS[0], "espresso", None]


def test_a_layer_by_path() -> None:
    description = published().description
    assert description.layer_at("base/conv").channels == 2
    with pytest.raises(UnknownLayer, match="Nearest: block5_conv3, block5_conv1") as raised:
        description.layer_at("Block5_Conv9", "/layer")
    assert (raised.value.pointer, raised.value.got) == ("/layer", "Block5_Conv9")
