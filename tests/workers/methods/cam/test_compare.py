"""The comparison of class activation maps: each map is the one that its method makes alone."""

from __future__ import annotations

from typing import Any, get_args

import keras
import numpy as np
import pytest

from rendering import scaling, sheets
from rendering.overlays.blend import blend
from rendering.titles import TITLE_WIDTH
from schemas.errors import LimitExceeded, NonFinite
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.methods.cam.base import CamFacts, CamParams
from schemas.methods.cam.compare import BY_CHANNEL, Compare, Compared, CompareFacts
from tests.contract.cases import examined_model, zoo_model
from tests.schemas.tiny import published as tiny
from tests.workers.methods.cam.support import ChannelProbe, arrays
from tests.workers.methods.linear import driven
from tests.workers.methods.support import batch, photo_of
from tests.zoo import seeded
from workers.contract.artifacts import Output, Picture
from workers.contract.inputs import Inputs
from workers.methods import implementation
from workers.methods.cam import compare, gradient_formulas

ALL = get_args(Compared)


def pooled() -> keras.Model:
    """Return a model of two convolutions, of which only pooling and one dense layer follow the last."""
    photo = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, activation="elu", padding="same", name="first")(photo)
    x = keras.layers.Conv2D(5, 3, activation="relu", padding="same", name="last")(x)
    x = keras.layers.Dense(3, activation="softmax", name="top")(keras.layers.GlobalAveragePooling2D(name="pool")(x))
    return seeded(keras.Model(photo, x))


def test_every_cam_of_channels_can_be_compared() -> None:
    """If this fails, add the new CAM to `Compared` and to `WEIGHTS` or `TRIALS`.

    Recipro-CAM tries positions and not channels, excitation backpropagation takes another way down, ShapleyCAM needs second
    gradients, and RefineCAM is made of other CAMs.
    """
    cams = {name for name, params in METHODS.items() if issubclass(params, CamParams) and params.card.facts is CamFacts}
    cams -= {"recipro_cam", "excitation_backprop", "shapley_cam", "refine_cam"}
    assert set(ALL) == cams
    assert set(gradient_formulas.WEIGHTS) | set(compare.TRIALS) | set(compare.ACTIVATIONS) | {"element_wise_cam"} == cams
    assert set(compare.TRIALS) == set(BY_CHANNEL)


def run(tensor: np.ndarray, probe: ChannelProbe | None = None, **params: Any) -> Output:
    job = Compare.model_validate({"layer": "conv", **params})
    return compare.draw(driven(compare.run(probe or ChannelProbe(), Inputs(tensor), job))[1], photo_of(), job)  # type: ignore[arg-type]


def alone(method: str, tensor: np.ndarray, **params: Any) -> Output:
    job, found = METHODS[method].model_validate({"layer": "conv", **params}), implementation(method)
    if found.lane == "slow":
        return found.draw(driven(found.run(ChannelProbe(), Inputs(tensor), job))[1], photo_of(), job)
    (result,) = found.run(ChannelProbe(), Inputs(tensor), [job])
    return found.draw(result, photo_of(), job)


@pytest.mark.parametrize(
    "shared", [{}, {"augment": True}, {"eigen_smooth": True}, {"class_index": 0}, {"layer": ["conv", "coarse"], "fuse": "max"}]
)
def test_each_map_equals_the_map_of_the_method_alone(shared: dict[str, Any]) -> None:
    tensor = batch(1)
    output = run(tensor, methods=ALL[::-1], **shared)
    assert list(arrays(output)) == [f"map.{method}" for method in ALL[::-1]]
    for method in ALL:
        own = {name: value for name, value in shared.items() if name in METHODS[method].model_fields}
        expected = arrays(alone(method, tensor, **own))["map"]
        np.testing.assert_allclose(arrays(output)[f"map.{method}"], expected, rtol=1e-5, atol=1e-6)


def test_methods_that_use_gradients_share_one_pass() -> None:
    probe = ChannelProbe()
    run(batch(1), probe, methods=[method for method in ALL if method not in BY_CHANNEL])
    assert probe.calls == [1]
    probe = ChannelProbe()
    run(batch(1), probe, methods=BY_CHANNEL)
    assert probe.calls == [1, 3, 3]  # one pass gives the activations for both, then each tries three channels


GRADIENTS = Compare.model_validate({"layer": ["conv", "coarse"], "class_index": [0, 1, 2]})


def test_slices_count_the_channels_of_all_methods() -> None:
    job = Compare.model_validate({"layer": ["conv", "coarse"], "methods": ["score_cam", "grad_cam", "ablation_cam"]})
    slices, _ = driven(compare.run(ChannelProbe(), Inputs(batch(1)), job))  # type: ignore[arg-type]
    assert {made.total for made in slices} == {12}
    assert sorted({made.step for made in slices}) == [0, 3, 6, 9, 12]


def test_gradients_yield_after_each_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pass with a gradient takes two rows here, so that three classes of one layer take two passes, and so do those of the other."""
    whole = driven(compare.run(ChannelProbe(), Inputs(batch(1)), GRADIENTS))[1]  # type: ignore[arg-type]
    monkeypatch.setattr(ChannelProbe, "per_pass", 6)
    slices, found = driven(compare.run(ChannelProbe(), Inputs(batch(1)), GRADIENTS))  # type: ignore[arg-type]
    assert [(made.step, made.total) for made in slices] == [(0, 1)] * 4 + [(1, 1)]
    for method, result in found.items():
        np.testing.assert_allclose(result.maps, whole[method].maps, rtol=1e-5)


def sheet(output: Output) -> np.ndarray:
    (picture,) = (artifact for artifact in output.artifacts if isinstance(artifact, Picture))
    assert (picture.name, picture.primary) == ("sheet", True)
    return picture.image


def test_a_sheet_of_one_class_names_each_method() -> None:
    tensor, photo = batch(1), photo_of(30, 90)
    job = Compare.model_validate(
        {"layer": "conv", "methods": ["hires_cam", "eigen_cam", "grad_cam"], "colormap": "viridis", "annotate": False}
    )
    output = compare.draw(driven(compare.run(ChannelProbe(), Inputs(tensor), job))[1], photo, job)  # type: ignore[arg-type]
    title = caption = round(sheets.caption_size(photo) * 1.6)
    picture, tall = sheet(output), 30 + caption
    assert picture.shape == (title + 2 * tall + 4, TITLE_WIDTH, 3)
    for index, method in enumerate(job.methods):
        top, left = title + (tall + 4) * (index // 2) + caption, (90 + 4) * (index % 2)
        expected, _ = blend(scaling.heat(arrays(output)[f"map.{method}"]), photo, "viridis", 0.6)
        np.testing.assert_array_equal(picture[top : top + 30, left : left + 90], expected)
        assert (picture[top - caption : top, left : left + 90] < 128).any()
    facts = output.facts
    assert isinstance(facts, CompareFacts)
    assert (facts.methods, facts.layers, len(facts.classes)) == (("hires_cam", "eigen_cam", "grad_cam"), ("conv",), 1)
    assert output.warnings == ()


def test_several_classes_are_rows() -> None:
    tensor = batch(1)
    output = run(tensor, methods=["grad_cam", "hires_cam", "ablation_cam"], class_index=[2, 0], annotate=False)
    assert all(array.shape == (2, 4, 6) for array in arrays(output).values())
    photo = photo_of()
    title = caption = round(sheets.caption_size(photo) * 1.6)
    picture = sheet(output)
    assert picture.shape[0] == title + 2 * (8 + caption) + 4
    for row in range(2):
        for column, method in enumerate(("grad_cam", "hires_cam", "ablation_cam")):
            top, left = title + (8 + caption + 4) * row + caption, (12 + 4) * column
            expected, _ = blend(scaling.heat(arrays(output)[f"map.{method}"][row]), photo, "turbo", 0.6)
            np.testing.assert_array_equal(picture[top : top + 8, left : left + 12], expected)


def test_a_warning_about_a_degenerate_map_names_the_method() -> None:
    output = run(np.zeros((1, 4, 6, 3), np.float32), methods=["layer_cam", "score_cam"], class_index=1)
    assert output.warnings == (
        "LayerCAM: goldfish (1): the map at layer 'conv' is zero everywhere; it is drawn as zeros.",
        "Score-CAM: goldfish (1): the map at layer 'conv' is zero everywhere; it is drawn as zeros.",
    )


def test_maps_that_are_equal_by_mathematics_have_a_warning() -> None:
    """At the layer before global average pooling and a dense layer, the gradient of each channel is the same everywhere."""
    probe, _ = examined_model("pooled", pooled())
    image = np.random.default_rng(3).normal(size=(1, 8, 8, 3)).astype(np.float32)
    methods = ["grad_cam", "hires_cam", "xgrad_cam", "layer_cam"]
    for layer, warned in (("last", True), ("first", False)):
        job = Compare.model_validate({"methods": methods, "layer": layer, "class_index": 1})
        output = compare.draw(driven(compare.run(probe, Inputs(image), job))[1], photo_of(8, 8), job)  # type: ignore[arg-type]
        equal = [warning for warning in output.warnings if "by mathematics" in warning]
        assert len(equal) == warned
        assert all(warning.startswith("Grad-CAM, HiResCAM and XGrad-CAM give the same map here.") for warning in equal)


def test_scores_that_are_not_finite_fail_the_job() -> None:
    class Broken(ChannelProbe):
        def _logits(self, tensor: np.ndarray) -> np.ndarray:
            return super()._logits(tensor) * np.float32(np.inf)

    with pytest.raises(NonFinite), np.errstate(invalid="ignore"):
        run(batch(1), Broken(), methods=["grad_cam"], class_index=1)


def test_a_sheet_of_large_images_shows_them_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_SHEET_PIXELS", 2 * 4 * 6)
    output = run(batch(1), methods=["grad_cam", "hires_cam"])
    assert output.warnings == ("The image is large and the sheet shows 2 overlays, so each tile is drawn at 6 × 4 pixels.",)


def test_only_methods_that_try_channels_count_against_the_limit() -> None:
    model, limits = tiny(), MethodLimits(max_masks=10)
    assert Compare().resolve(model, limits).tries(model.description) == 0
    assert Compare(methods=("score_cam", "grad_cam")).resolve(model, limits).tries(model.description) == 8
    with pytest.raises(LimitExceeded, match="got 16"):
        Compare(methods=("score_cam", "ablation_cam")).resolve(model, limits)
    assert Compare(methods=("grad_cam", "grad_cam")).methods == ("grad_cam",)


@pytest.mark.parametrize("name", ["functional", "nested", "mixed_bfloat16"])
def test_on_a_real_model_each_map_equals_the_map_of_the_method_alone(name: str) -> None:
    """The maps are equal bit for bit, although the methods share passes."""
    probe, published = zoo_model(name)
    tensor = np.random.default_rng(2).uniform(-1, 1, (1, 13, 9, 3)).astype(np.float32)
    params = Compare(methods=ALL, class_index=3).resolve(published, MethodLimits())
    _, result = driven(compare.run(probe, Inputs(tensor), params))
    assert list(result) == list(ALL)
    for method, together in result.items():
        found, cls = implementation(method), METHODS[method]
        job = cls.model_validate({"class_index": 3} if "class_index" in cls.model_fields else {}).resolve(published, MethodLimits())
        if found.lane == "slow":
            _, single = driven(found.run(probe, Inputs(tensor), job))
        else:
            (single,) = found.run(probe, Inputs(tensor), [job])
        assert single.maps.any(), method
        np.testing.assert_array_equal(together.maps, single.maps, err_msg=method)
