"""Errors suggest the names that are nearest to an unknown one."""

from __future__ import annotations

from schemas.nearest_names import nearest_names


def test_nearest_names_are_few_and_similar_in_any_case() -> None:
    names = ["vgg16", "VGG19", "resnet50", "vgg11", "vgg13"]
    assert nearest_names("Vgg19", names)[0] == "VGG19"
    assert len(nearest_names("vgg1", names)) == 3
    assert nearest_names("vgg1", names, 1) == nearest_names("vgg1", names)[:1]
    assert nearest_names("inception", names) == ()
    assert nearest_names("v" * 10_000_000, names) == ()


def test_the_path_of_a_nested_layer_is_found_by_its_own_name() -> None:
    paths = ("Conv1", "mobilenetv2_1.00_224/Conv_1", "Conv_10", "other/My_Conv_1")
    assert nearest_names("Conv_1", paths) == ("mobilenetv2_1.00_224/Conv_1", "Conv_10", "Conv1")
    assert nearest_names("conv_1", paths, 1) == ("mobilenetv2_1.00_224/Conv_1",)
