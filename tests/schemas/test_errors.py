"""Errors suggest the names that are nearest to an unknown one."""

from __future__ import annotations

from schemas.errors import nearest_names


def test_nearest_names_are_few_and_similar_in_any_case() -> None:
    names = ["vgg16", "VGG19", "resnet50", "vgg11", "vgg13"]
    assert nearest_names("Vgg19", names)[0] == "VGG19"
    assert len(nearest_names("vgg1", names)) == 3
    assert nearest_names("vgg1", names, 1) == nearest_names("vgg1", names)[:1]
    assert nearest_names("inception", names) == ()
    assert nearest_names("v" * 10_000_000, names) == ()
