"""Score-CAM, Ablation-CAM and what they share."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import cv2
import numpy as np
import pytest

from schemas.errors import LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.methods.cam.ablation_cam import AblationCam
from schemas.methods.cam.base import AUGMENTED
from schemas.methods.cam.score_cam import ScoreCam
from schemas.models import LayerKind, PublishedModel
from tests.schemas.tiny import layer
from tests.schemas.tiny import published as tiny
from tests.workers.methods.cam.test_class_evidence import TwoLayers
from tests.workers.methods.support import FormulaProbe, batch, photo_of, published
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.progress import Slice
from workers.methods import implementation
from workers.methods.cam import ablation_cam, augmentation, cam_maps, channel_cam, class_evidence, score_cam
from workers.rendering import scaling

SLOW = ("score_cam", "ablation_cam")


def with_layers(channels: int = 3) -> PublishedModel:
    model = published()
    layers = tuple(layer(path, LayerKind.CONV, (4, 6, channels), (), cam_able=True) for path in ("conv", "coarse"))
    return model.model_copy(update={"description": model.description.model_copy(update={"layers": layers})})


class ChannelProbe(TwoLayers):
    """With a description of its layers; the logits computed on from `coarse` are those of what stands there."""

    def __init__(self) -> None:
        super().__init__(with_layers())


def driven(run: Generator[Slice, None, class_evidence.Explanation]) -> tuple[list[Slice], class_evidence.Explanation]:
    slices: list[Slice] = []
    while True:
        try:
            slices.append(next(run))
        except StopIteration as stop:
            return slices, stop.value


def explained(method: str, tensor: np.ndarray, probe: FormulaProbe | None = None, **params: Any) -> class_evidence.Explanation:
    job = METHODS[method].model_validate({"layer": "conv", **params})
    return driven(implementation(method).run(probe or ChannelProbe(), Inputs(tensor), job))[1]


def drawn(method: str, tensor: np.ndarray, probe: FormulaProbe | None = None, **params: Any) -> Output:
    job = METHODS[method].model_validate({"layer": "conv", "colormap": "gray", **params})
    return implementation(method).draw(explained(method, tensor, probe, **params), photo_of(), job)


def test_score_cams_masks_by_hand() -> None:
    activations = np.array([[[1, 5, -1], [3, 5, 1]]], np.float32)
    found = score_cam.masks(activations, (1, 4))
    # 0, 1/4, 3/4, 1 of the rise; a constant channel has no mask
    np.testing.assert_allclose(found, [[[0, 0.25, 0.75, 1]], [[0] * 4], [[0, 0.25, 0.75, 1]]], atol=1e-7)
    np.testing.assert_array_equal(score_cam.varies(activations), [True, False, True])
    assert score_cam.masks(activations[..., :1], (3, 2)).shape == (1, 3, 2)


def test_score_cams_weights_by_hand() -> None:
    scores = np.log([[1, 6], [3, 2], [4, 2]])
    np.testing.assert_allclose(score_cam.weights(scores, np.zeros(2)), [[1 / 8, 3 / 8, 4 / 8], [0.6, 0.2, 0.2]])
    np.testing.assert_allclose(score_cam.weights(scores + 5000, np.zeros(2)), [[1 / 8, 3 / 8, 4 / 8], [0.6, 0.2, 0.2]])


def test_ablation_cams_weights_by_hand() -> None:
    # y = 4 falls to 1 without the first channel and rises to 6 without the second; y = −2 falls to −3; y = 0
    scores, whole = np.array([[1.0, -3.0, 1.0], [6.0, -2.0, 2.0]]), np.array([4.0, -2.0, 0.0])
    np.testing.assert_allclose(ablation_cam.weights(scores, whole), [[0.75, -0.5], [0.5, 0], [0, 0]])


def test_ablation_sets_one_channel_after_the_other_to_zero() -> None:
    activations = batch(1)
    found = ablation_cam.ablated(activations, np.array([2, 0]))
    for row, channel in enumerate((2, 0)):
        expected = activations[0].copy()
        expected[:, :, channel] = 0
        np.testing.assert_array_equal(found[row], expected)
    np.testing.assert_array_equal(ablation_cam.answers(np.array([[[0, 1, 0]], [[0, 0, -2]]], np.float32)), [False, True, True])


@pytest.mark.parametrize("path", ["conv", "coarse"])
def test_score_cam_by_plain_loops(path: str) -> None:
    probe, tensor = ChannelProbe(), batch(1)
    result = explained("score_cam", tensor, probe, layer=path, class_index=[1, 0])
    activations = tensor[0, ::2, ::2] if path == "coarse" else tensor[0]
    scores = np.zeros((2, 3))
    for k in range(3):
        large = cv2.resize(np.ascontiguousarray(activations[..., k]), (6, 4), interpolation=cv2.INTER_LINEAR)
        mask = (large - large.min()) / (large.max() - large.min())
        seen = tensor[0] * mask[..., None]
        for row, class_index in enumerate((1, 0)):
            scores[row, k] = sum(probe.WEIGHTS[class_index, c] * (seen[..., c].astype(float) ** 2).sum() for c in range(3))
    for row in range(2):
        weights = np.exp(scores[row]) / np.exp(scores[row]).sum()
        expected = np.maximum(sum(weights[k] * activations[..., k] for k in range(3)), 0)
        np.testing.assert_allclose(result.by_layer[path][row], expected, rtol=1e-4, atol=1e-5)
    assert [scored.class_index for scored in result.classes] == [1, 0]


@pytest.mark.parametrize("path", ["conv", "coarse"])
@pytest.mark.parametrize("sign", [1, -1])
def test_ablation_cam_by_plain_loops(path: str, sign: int) -> None:
    probe, tensor = ChannelProbe(), batch(1, seed=5)
    result = explained("ablation_cam", tensor, probe, layer=path, class_index=[1, 2], sign=sign)
    activations = (tensor[0, ::2, ::2] if path == "coarse" else tensor[0]).astype(float)
    for row, class_index in enumerate((1, 2)):
        weights = probe.WEIGHTS[class_index].astype(float)
        whole = sign * sum(weights[c] * (tensor[0, ..., c].astype(float) ** 2).sum() for c in range(3))
        expected = np.zeros(activations.shape[:2])
        for k in range(3):
            without = sign * sum(weights[c] * (activations[..., c] ** 2).sum() for c in range(3) if c != k)
            expected += (whole - without) / abs(whole) * activations[..., k]
        np.testing.assert_allclose(result.by_layer[path][row], np.maximum(expected, 0), rtol=1e-4, atol=1e-5)


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
    activations[..., 2] = 9  # high, but the same everywhere
    every = np.ones(5, bool)
    assert channel_cam.tried(activations, every, None).tolist() == [0, 1, 2, 3, 4]
    assert channel_cam.tried(activations, every, 3).tolist() == [1, 3, 4]
    assert channel_cam.tried(activations, every, 1).tolist() == [1]
    assert channel_cam.tried(activations, score_cam.varies(activations), 9).tolist() == [0, 1, 3, 4]


@pytest.mark.parametrize("method", SLOW)
def test_channels_that_are_not_tried_weigh_nothing(method: str) -> None:
    tensor = batch(1)
    tensor[..., 1] *= 0.1
    found = explained(method, tensor, max_channels=2, class_index=0)
    changed = tensor.copy()
    changed[..., 1] = 0  # weighs nothing in class 0 either
    other = explained(method, changed, class_index=0)
    np.testing.assert_allclose(found.maps, other.maps, rtol=1e-5, atol=1e-6)
    assert not np.allclose(found.maps, explained("score_cam", tensor, class_index=0).maps)


@pytest.mark.parametrize("method", SLOW)
def test_slices_tell_how_many_channels_are_done(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.methods.perturbation.masked_scores.rows_of_call", lambda model, size: 2)
    tensor = batch(1)
    tensor[..., 1] = 0
    job = METHODS[method].model_validate({"layer": ["conv", "coarse"], "augment": True})
    slices, _ = driven(implementation(method).run(ChannelProbe(), Inputs(tensor), job))
    assert {piece.total for piece in slices} == {3 * 2 * 6}
    # two of three channels in one pass, then all that there are of the layer
    assert [piece.step for piece in slices] == [done for start in range(0, 36, 3) for done in (start + 2, start + 3)]


@pytest.mark.parametrize("method", SLOW)
def test_pieces_give_what_one_pass_gives(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tensor = batch(1)
    whole = explained(method, tensor)
    monkeypatch.setattr("workers.methods.perturbation.masked_scores.rows_of_call", lambda model, size: 1)
    np.testing.assert_allclose(explained(method, tensor).maps, whole.maps, rtol=1e-5)


@pytest.mark.parametrize("method", SLOW)
def test_layers_augmentation_and_eigen_smoothing(method: str) -> None:
    tensor = batch(1)
    together = explained(method, tensor, layer=["conv", "coarse"])
    for path in ("conv", "coarse"):
        np.testing.assert_array_equal(together.by_layer[path], explained(method, tensor, layer=path).maps)
    np.testing.assert_array_equal(together.maps, cam_maps.fused(list(together.by_layer.values()), "mean"))
    (top,) = together.classes
    maps = []
    for variant in augmentation.ALL:
        varied = explained(method, np.ascontiguousarray(variant.of(tensor)), class_index=top.class_index)
        maps.append(scaling.heat(variant.undone(varied.maps)[0]))
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
        for artifact in output.artifacts:
            if isinstance(artifact, Picture) and artifact.name == "heatmap":
                assert not artifact.image.any()
            if isinstance(artifact, Array):
                assert np.isfinite(artifact.array).all()


@pytest.mark.parametrize("method", SLOW)
def test_a_class_that_no_channel_moves_gives_zeros_and_a_warning(method: str) -> None:
    class Flat(ChannelProbe):
        def _logits(self, tensor: np.ndarray) -> np.ndarray:
            logits = super()._logits(tensor)
            logits[:, 1] = 1 + 1e-7 * logits[:, 0]  # moved, but by no more than rounding
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
