"""CAMs that take their weights from class scores: channels tried, slices, variants, and degenerate maps."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from rendering import scaling
from rendering.overlays.unseen import UNSEEN
from schemas.errors import LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.methods.cam.ablation_cam import AblationCam
from schemas.methods.cam.base import AUGMENTED
from schemas.methods.cam.score_cam import ScoreCam
from tests.drawn import drawn as with_pictures
from tests.schemas.tiny import published as tiny
from tests.workers.methods.cam.support import ChannelProbe, explained
from tests.workers.methods.linear import driven
from tests.workers.methods.support import FormulaProbe, batch, photo_of
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.methods import implementation
from workers.methods.cam import augmentation, cam_maps, score_cam, score_weighted_cam

SLOW = ("score_cam", "ablation_cam")


def drawn(method: str, tensor: np.ndarray, probe: FormulaProbe | None = None, **params: Any) -> Output:
    job = METHODS[method].model_validate({"layer": "conv", "colormap": "gray", **params})
    return implementation(method).draw(explained(method, tensor, probe, **params), photo_of(), job)


def test_the_top_class_and_its_scores() -> None:
    probe, tensor = ChannelProbe(), batch(1)
    top = int(probe._logits(tensor)[0].argmax())
    for method in SLOW:
        (scored,) = explained(method, tensor).classes
        assert scored.class_index == top
        assert scored.logit == pytest.approx(float(probe._logits(tensor)[0, top]))


def test_the_most_varying_channels_are_tried() -> None:
    activations = np.zeros((2, 3, 5), np.float32)
    for channel, spread in enumerate((1, 3, 0, 2, 3)):
        activations[0, 0, channel] = spread
    activations[..., 2] = 9  # high, but constant
    every = np.ones(5, bool)
    assert score_weighted_cam.channels_to_try(activations, every, None).tolist() == [0, 1, 2, 3, 4]
    assert score_weighted_cam.channels_to_try(activations, every, 3).tolist() == [1, 3, 4]
    assert score_weighted_cam.channels_to_try(activations, every, 1).tolist() == [1]
    assert score_weighted_cam.channels_to_try(activations, score_cam.varies(activations), 9).tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize("method", SLOW)
def test_channels_that_are_not_tried_have_the_weight_zero(method: str) -> None:
    tensor = batch(1)
    tensor[..., 1] *= 0.1
    found = explained(method, tensor, max_channels=2, class_index=0)
    changed = tensor.copy()
    changed[..., 1] = 0  # class 0 gives this channel the weight 0 as well
    other = explained(method, changed, class_index=0)
    np.testing.assert_allclose(found.maps, other.maps, rtol=1e-5, atol=1e-6)
    assert not np.allclose(found.maps, explained("score_cam", tensor, class_index=0).maps)


@pytest.mark.parametrize("method", SLOW)
def test_slices_tell_how_many_channels_are_done(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ChannelProbe, "per_pass", 2)
    tensor = batch(1)
    tensor[..., 1] = 0
    job = METHODS[method].model_validate({"layer": ["conv", "coarse"], "augment": True})
    slices, _ = driven(implementation(method).run(ChannelProbe(), Inputs(tensor), job))
    assert {made.total for made in slices} == {3 * 2 * 6}
    # one pass gives the activations of both layers; one pass tries two of the three channels of a layer; then the layer's count is
    # complete, because the third is not worth trying
    assert [made.step for made in slices] == [
        done for start in range(0, 36, 6) for done in (start, start + 2, start + 3, start + 5, start + 6)
    ]


@pytest.mark.parametrize("method", SLOW)
def test_several_passes_give_what_one_pass_gives(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tensor = batch(1)
    whole = explained(method, tensor)
    monkeypatch.setattr(ChannelProbe, "per_pass", 1)
    np.testing.assert_allclose(explained(method, tensor).maps, whole.maps, rtol=1e-5)


@pytest.mark.parametrize("method", SLOW)
def test_layers_augmentation_and_eigen_smoothing(method: str) -> None:
    tensor = batch(1)
    together = explained(method, tensor, layer=["conv", "coarse"])
    for path in ("conv", "coarse"):
        np.testing.assert_array_equal(together.by_layer[path], explained(method, tensor, layer=path).maps)
    np.testing.assert_array_equal(together.maps, cam_maps.fused(list(together.by_layer.values()), "mean", list(together.places.values())))
    (top,) = together.classes
    maps = []
    for variant in augmentation.ALL:
        varied = explained(method, np.ascontiguousarray(variant.of(tensor)), class_index=top.class_index)
        maps.append(scaling.heat(variant.undone(varied.maps, varied.place, tensor.shape[2])[0]))
    smoothed = explained(method, tensor, augment=True)
    np.testing.assert_allclose(smoothed.maps[0], np.mean(maps, axis=0), rtol=1e-4, atol=1e-5)
    assert smoothed.classes == (top,)
    assert not np.allclose(explained(method, tensor, eigen_smooth=True).maps, explained(method, tensor).maps)


@pytest.mark.parametrize("method", SLOW)
@pytest.mark.parametrize("what", ["dead layer", "constant image", "one position"])
def test_degenerate_inputs_give_zeros_and_a_warning(method: str, what: str) -> None:
    tensor = {
        "dead layer": np.zeros((1, 4, 6, 3), np.float32),
        "constant image": np.full((1, 4, 6, 3), 0.7, np.float32),
        "one position": np.full((1, 1, 1, 3), 0.7, np.float32),
    }[what]
    for options in ({}, {"augment": True}, {"eigen_smooth": True}):
        output = drawn(method, tensor, **options)
        (warning,) = output.warnings
        assert warning.endswith("it is drawn as zeros.")
        for artifact in with_pictures(output).artifacts:
            if isinstance(artifact, Picture) and artifact.name == "heatmap":
                assert set(np.unique(artifact.image)) <= {0, UNSEEN}
            if isinstance(artifact, Array):
                assert np.isfinite(artifact.array).all()


@pytest.mark.parametrize("method", SLOW)
def test_a_class_that_no_channel_changes_gives_zeros_and_a_warning(method: str) -> None:
    class Flat(ChannelProbe):
        def _logits(self, tensor: np.ndarray) -> np.ndarray:
            logits = super()._logits(tensor)
            logits[:, 1] = 1 + 1e-7 * logits[:, 0]  # it changes, but only by rounding
            return logits

    output = drawn(method, batch(1), Flat(), class_index=1)
    assert output.warnings == ("goldfish (1): the map at layer 'conv' is zero everywhere; it is drawn as zeros.",)


@pytest.mark.parametrize("method", SLOW)
def test_values_that_are_not_finite_give_zeros_and_a_warning(method: str) -> None:
    class Broken(ChannelProbe):
        def _logits(self, tensor: np.ndarray) -> np.ndarray:
            return super()._logits(np.nan_to_num(tensor))

    tensor = batch(1)
    tensor[0, 2, 3, 1] = np.nan
    output = drawn(method, tensor, Broken(), class_index=1)
    assert len(output.warnings) == 1
    assert "is not finite" in output.warnings[0]


def test_so_many_tries_are_refused() -> None:
    limits, model = MethodLimits(max_masks=20), tiny()
    with pytest.raises(LimitExceeded, match="at most 20 channels, got 48") as raised:
        AblationCam(augment=True).resolve(model, limits)
    assert raised.value.pointer == "/params/max_channels"
    assert AblationCam(augment=True, max_channels=3).resolve(model, limits).layer == "block5_conv3"
    several = ScoreCam(layer=("block5_conv1", "block5_conv3")).resolve(model, limits)
    assert several.tries(model.description) == 4 + 8


def test_a_model_is_tried_on_every_augmented_input() -> None:
    assert len(augmentation.ALL) == AUGMENTED
