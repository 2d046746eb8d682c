"""Every input of a model is described, and the layers say which inputs they are computed from."""

from __future__ import annotations

import pytest

from catalog.model_settings import InputSettings
from schemas.errors import InvalidParameters, ModelLoadFailed, UnsuitableLayer
from schemas.methods.target_layer import cam_layer, mapped_layer
from schemas.models import ModelInput, Preprocessing
from tests.workers.models.description.hand_made import described, published
from tests.zoo.several_inputs import colour_and_depth, of_channels, photo_and_values, siamese


def test_the_inputs_of_a_photo_with_values() -> None:
    description = described(photo_and_values(), preprocessing=Preprocessing.named("tf"))
    assert description.inputs == (
        ModelInput(name="photo", shape=(13, 9, 3), dtype="float32", preprocessing=Preprocessing.named("tf"), default_layer="conv"),
        ModelInput(name="metadata", shape=(2,), dtype="float32"),
        ModelInput(name="month", shape=(1,), dtype="int32"),
    )
    assert description.other_inputs == ("metadata", "month")
    assert description.layer_at("conv").inputs == ("photo",)
    assert description.layer_at("table").inputs == ("month",)
    assert description.layer_at("classes").inputs == ("photo", "metadata", "month")
    assert [each.takes_images for each in description.inputs] == [True, False, False]


def test_the_layers_of_a_shared_tower_are_computed_from_both_images() -> None:
    model = published(siamese())
    assert model.description.input.name == "left"
    assert model.description.layer_at("tower/conv").inputs == ("left", "right")
    assert model.seen_from("right").description.input.name == "right"
    assert model.seen_from("right").description.default_layer == "tower/conv"


def test_each_input_has_its_own_default_layer_and_refuses_the_layers_of_the_other() -> None:
    model = published(colour_and_depth())
    assert [each.default_layer for each in model.description.inputs] == ["colour_conv", "depth_conv"]
    assert model.description.default_layer == "colour_conv"
    assert model.description.heads[0].default_layer == "colour_conv"
    depth = model.seen_from("depth")
    assert (depth.description.default_layer, depth.description.heads[0].default_layer) == ("depth_conv", "depth_conv")
    assert (depth.description.input.channels, cam_layer(depth, "depth_conv")) == (1, "depth_conv")
    for check in (cam_layer, mapped_layer):
        with pytest.raises(UnsuitableLayer, match=r"'colour_conv' is computed from colour, and not .* 'depth'.*depth_conv") as caught:
            check(depth, "colour_conv")
        assert caught.value.pointer == "/params/layer"


def test_an_input_that_is_no_image_or_not_there_is_refused() -> None:
    model = published(photo_and_values())
    with pytest.raises(InvalidParameters, match=r"'metadata' .* takes \(2,\), which is no image.*: photo\."):
        model.seen_from("metadata")
    with pytest.raises(InvalidParameters, match=r"has no input 'foto'.*photo") as caught:
        model.seen_from("foto")
    assert (caught.value.pointer, caught.value.nearest) == ("/params/input", ("photo",))


@pytest.mark.parametrize("channels", [1, 2, 4, 6, 13])
def test_a_model_of_any_number_of_channels_is_described(channels: int) -> None:
    (given,) = described(of_channels(channels)).inputs
    assert (given.shape, given.takes_photos, given.default_layer) == ((13, 9, channels), channels == 1, "conv")
    assert given.shape_text == f"(13, 9, {channels})"


def test_settings_of_single_inputs() -> None:
    depth = InputSettings(preprocessing=Preprocessing(mean=(7.0,)), arrays="preprocessed", bands=(0,))
    description = described(colour_and_depth(), preprocessing=Preprocessing.named("caffe"), inputs={"depth": depth})
    colour, other = description.inputs
    assert (colour.preprocessing, colour.arrays) == (Preprocessing.named("caffe"), "as_given")
    assert (other.preprocessing, other.arrays, other.bands) == (Preprocessing(mean=(7.0,)), "preprocessed", (0,))
    assert other.takes_photos
    without = described(colour_and_depth(), preprocessing=Preprocessing.named("caffe"))
    assert not without.inputs[1].takes_photos, "three means do not fit one channel"
    with pytest.raises(ModelLoadFailed, match=r"name the input 'deep', but its inputs are: colour, depth"):
        described(colour_and_depth(), inputs={"deep": depth})
