"""Grad-CAM: formula, classes, batches, presets and pictures."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from rendering import scaling, sheets
from rendering.overlays import OverlayAndHeatmap
from rendering.overlays.blend import blend
from rendering.overlays.dlwp1 import draw_as_dlwp1
from rendering.overlays.keras_io import draw_as_keras_io
from rendering.photo import Photo
from schemas.errors import NonFinite
from schemas.methods.cam.base import CamFacts
from schemas.methods.cam.grad_cam import GradCam
from schemas.methods.facts import Prediction
from tests.drawn import drawn
from tests.workers.methods.support import FormulaProbe, batch, photo_of, published, softmax
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.methods.cam import cam_maps, grad_cam
from workers.methods.cam.cam_result import CamResult


def params(**changes: object) -> GradCam:
    return GradCam.model_validate({"layer": "conv", **changes})


def pictures(output: Output) -> dict[str, Picture]:
    return {artifact.name: artifact for artifact in drawn(output).artifacts if isinstance(artifact, Picture)}


def the_map(output: Output) -> np.ndarray:
    (array,) = (artifact for artifact in output.artifacts if isinstance(artifact, Array))
    assert array.name == "map"
    return array.array


def test_the_formula_by_hand() -> None:
    # Two images with 1×2 positions and 2 channels. The weights are the means of the gradients over the positions.
    activations = np.array([[[[1, 2], [3, 4]]], [[[1, 0], [0, 5]]]], np.float32)
    gradients = np.array([[[[1, -1], [3, -1]]], [[[0, 2], [0, -2]]]], np.float32)
    # first image: w = (2, -1), so 1·2 − 2 = 0 and 3·2 − 4 = 2; second: w = (0, 0)
    weights = grad_cam.weights(activations, gradients)
    np.testing.assert_allclose(weights, [[2, -1], [0, 0]])
    np.testing.assert_allclose(grad_cam.mean_weights(activations, gradients), [[1, -0.5], [0, 0]])
    np.testing.assert_allclose(cam_maps.weighted(activations, weights), [[[0, 2]], [[0, 0]]])
    # relu sets evidence against the class to 0
    np.testing.assert_allclose(cam_maps.weighted(activations[:1], -weights[:1]), [[[0, 0]]])


def test_the_formula_by_plain_loops() -> None:
    rng = np.random.default_rng(0)
    activations, gradients = rng.normal(size=(2, 3, 5, 7, 4)).astype(np.float32)
    expected = np.zeros((3, 5, 7))
    for n in range(3):
        for k in range(4):
            expected[n] += gradients[n, ..., k].astype(float).mean() * activations[n, ..., k]
    maps = cam_maps.weighted(activations, grad_cam.weights(activations, gradients))
    np.testing.assert_allclose(maps, np.maximum(expected, 0), atol=1e-6)


def test_the_top_class_is_explained_if_no_class_is_given() -> None:
    probe, tensor = FormulaProbe(), batch(3)
    results = grad_cam.run(probe, Inputs(tensor), [params()] * 3)
    logits = np.einsum("nhwk,ck->nc", tensor**2, probe.WEIGHTS)
    for row, result in enumerate(results):
        top = int(logits[row].argmax())
        (scored,) = result.classes
        assert scored.class_index == top
        assert scored.label == published().labels[top]
        assert scored.logit == pytest.approx(logits[row, top], rel=1e-5)
        assert scored.probability == pytest.approx(softmax(logits[row])[top], rel=1e-4)
        weights = (2 * probe.WEIGHTS[top] * tensor[row]).mean(axis=(0, 1))
        np.testing.assert_allclose(result.maps[0], np.maximum(tensor[row] @ weights, 0), atol=1e-5)


def test_jobs_of_different_classes_share_a_batch_and_a_job_may_have_several() -> None:
    probe, tensor = FormulaProbe(), batch(3)
    jobs = [params(class_index=2), params(class_index=(0, 1, 2)), params()]
    assert len({grad_cam.batch_key(job) for job in jobs}) == 1
    results = grad_cam.run(probe, Inputs(tensor), jobs)
    assert probe.calls == [5]
    assert [[scored.class_index for scored in result.classes] for result in results][:2] == [[2], [0, 1, 2]]
    for row, job in enumerate(jobs):
        (alone,) = grad_cam.run(probe, Inputs(tensor[row : row + 1]), [job])
        assert alone.classes == results[row].classes
        np.testing.assert_array_equal(alone.maps, results[row].maps)


def test_many_classes_are_run_a_few_at_a_time() -> None:
    probe = FormulaProbe()
    job = params(class_index=tuple(range(3)) * 7)
    (result,) = grad_cam.run(probe, Inputs(batch(1)), [job])
    assert probe.calls == [8, 8, 5]
    assert result.maps.shape == (21, 4, 6)
    np.testing.assert_array_equal(result.maps[:3], result.maps[18:])


@pytest.mark.parametrize("changes", [{"layer": "other"}, {"precision": "bfloat16"}, {"preset": "dlwp1"}])
def test_parameters_that_change_the_computation_change_the_batch_key(changes: dict[str, object]) -> None:
    assert grad_cam.batch_key(params(**changes)) != grad_cam.batch_key(params())


def test_parameters_that_change_only_the_drawing_keep_the_batch_key() -> None:
    assert grad_cam.batch_key(params(preset="keras_io")) == grad_cam.batch_key(params(alpha=0.7, colormap="magma", fuse="max"))


def test_dlwp1_takes_the_probability_and_the_channel_mean() -> None:
    probe, tensor = FormulaProbe(), batch(2) * 0.2
    results = grad_cam.run(probe, Inputs(tensor), [params(preset="dlwp1", class_index=1)] * 2)
    for row, result in enumerate(results):
        # ∂p1/∂A is computed by finite differences of the softmax
        gradients = np.zeros_like(tensor[row], dtype=float)
        for position in np.ndindex(gradients.shape):
            sides = []
            for shift in (1e-4, -1e-4):
                moved = tensor[row].astype(float)
                moved[position] += shift
                logits = np.einsum("hwk,ck->c", moved**2, probe.WEIGHTS.astype(float))
                sides.append(np.exp(logits[1]) / np.exp(logits).sum())
            gradients[position] = (sides[0] - sides[1]) / 2e-4
        expected = np.maximum((tensor[row] * gradients.mean(axis=(0, 1))).mean(axis=-1), 0)
        np.testing.assert_allclose(result.maps[0], expected, atol=1e-6)


PLACES = {"conv": MapPlace.whole((4, 6))}


def cam_result(*maps: list[list[float]], listed: bool = False) -> CamResult:
    classes = tuple(Prediction(class_index=k, label=f"class {k}", logit=1.5 + k, probability=0.5) for k in range(len(maps)))
    return CamResult({"conv": np.array(maps, np.float32)}, PLACES, classes, listed)


MAP = [[0.0, 1.0, 2.0], [4.0, 0.5, 0.0]]


def test_one_class_is_drawn_at_the_images_own_size() -> None:
    photo = photo_of()
    output = grad_cam.draw(cam_result(MAP), photo, params(colormap="viridis", alpha=0.3))
    heat = np.array(MAP, np.float32) / 4
    expected, heatmap = blend(heat, photo, "viridis", 0.3)
    np.testing.assert_array_equal(pictures(output)["overlay"].image, expected)
    np.testing.assert_array_equal(pictures(output)["heatmap"].image, heatmap)
    assert pictures(output)["overlay"].primary
    assert not pictures(output)["heatmap"].primary
    np.testing.assert_array_equal(the_map(output), MAP)
    assert output.warnings == ()
    facts = output.facts
    assert isinstance(facts, CamFacts)
    assert (facts.layer, facts.layers, facts.class_index, facts.label, facts.logit) == ("conv", ("conv",), 0, "class 0", 1.5)
    assert len(facts.classes) == 1


@pytest.mark.parametrize(("preset", "way"), [("dlwp1", draw_as_dlwp1), ("keras_io", draw_as_keras_io)])
def test_each_preset_draws_in_its_own_way(preset: str, way: Callable[[np.ndarray, Photo], OverlayAndHeatmap]) -> None:
    photo = photo_of()
    output = grad_cam.draw(cam_result(MAP), photo, params(preset=preset))
    np.testing.assert_array_equal(pictures(output)["overlay"].image, way(np.array(MAP, np.float32) / 4, photo)[0])


def test_several_classes_are_tiles_under_their_names() -> None:
    photo = photo_of(30, 90)
    other = [[3.0, 0.0, 0.0], [0.0, 0.0, 6.0]]
    output = grad_cam.draw(cam_result(MAP, other, MAP, listed=True), photo, params(class_index=(0, 1, 2)))
    assert the_map(output).shape == (3, 2, 3)
    sheet = pictures(output)["overlay"].image
    caption = round(sheets.caption_size(photo) * 1.6)
    tall, wide = 30 + caption, 90
    assert sheet.shape == (2 * tall + 4, 2 * wide + 4, 3)
    for index, values in enumerate((MAP, other, MAP)):
        top, left = (tall + 4) * (index // 2) + caption, (wide + 4) * (index % 2)
        expected, _ = blend(scaling.heat(np.array(values, np.float32)), photo, "turbo", 0.6)
        np.testing.assert_array_equal(sheet[top : top + 30, left : left + wide], expected)
        assert (sheet[top - caption : top, left : left + wide] < 128).any()  # there are letters


def test_a_list_of_one_class_keeps_its_axis_and_needs_no_caption() -> None:
    output = grad_cam.draw(cam_result(MAP, listed=True), photo_of(), params(class_index=(0,)))
    assert the_map(output).shape == (1, 2, 3)
    assert pictures(output)["overlay"].image.shape == (8, 12, 3)


def test_a_sheet_of_large_images_shows_them_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MAX_SHEET_PIXELS", 3 * 40 * 60)
    photo = photo_of(80, 120)
    output = grad_cam.draw(cam_result(MAP, MAP, MAP, listed=True), photo, params(class_index=(0, 1, 2)))
    caption = 16
    assert pictures(output)["overlay"].image.shape == (2 * (40 + caption) + 4, 2 * 60 + 4, 3)
    assert output.warnings == ("The image is large and the sheet shows 3 classes, so each tile is drawn at 60 × 40 pixels.",)
    # the heat stays in its place: the highest value of MAP is its lower left cell
    heatmap = pictures(grad_cam.draw(cam_result(MAP, MAP, MAP), photo, params(colormap="gray")))["heatmap"].image[
        caption : caption + 40, :60, 0
    ]
    row, column = np.unravel_index(heatmap.argmax(), heatmap.shape)
    assert (row >= 25, column <= 12) == (True, True)


@pytest.mark.parametrize(
    ("values", "why"),
    [([[0.0, 0.0]], "zero everywhere"), ([[3.0, 3.0]], "the same everywhere"), ([[np.nan, 1.0]], "not finite")],
)
def test_degenerate_maps_are_drawn_as_zeros_with_a_warning(values: list[list[float]], why: str) -> None:
    for preset in ("standard", "dlwp1", "keras_io"):
        photo = photo_of()
        output = grad_cam.draw(cam_result(values), photo, params(preset=preset))
        assert output.warnings == (f"class 0 (0): the map at layer 'conv' is {why}; it is drawn as zeros.",)
        zeros = grad_cam.draw(cam_result([[0.0, 0.0]]), photo, params(preset=preset))
        for name, picture in pictures(output).items():
            np.testing.assert_array_equal(picture.image, pictures(zeros)[name].image)


def test_only_the_degenerate_map_of_several_is_named() -> None:
    output = grad_cam.draw(cam_result(MAP, [[0.0] * 3] * 2, listed=True), photo_of(), params(class_index=(0, 1)))
    assert output.warnings == ("class 1 (1): the map at layer 'conv' is zero everywhere; it is drawn as zeros.",)


def test_scores_that_are_not_finite_fail_the_job() -> None:
    broken = CamResult(
        {"conv": np.array([MAP], np.float32)},
        PLACES,
        (Prediction(class_index=7, label=None, logit=float("nan"), probability=0.1),),
        listed=False,
    )
    with pytest.raises(NonFinite, match="class 7"):
        grad_cam.draw(broken, photo_of(), params())


def test_unresolved_parameters_are_a_programming_error() -> None:
    with pytest.raises(ValueError, match="not resolved: layer"):
        grad_cam.run(FormulaProbe(), Inputs(batch(1)), [GradCam()])
    with pytest.raises(ValueError, match="not resolved: class_index"):
        grad_cam.run(FormulaProbe(), Inputs(batch(1)), [params(class_index="tench")])


def test_pictures_are_the_same_each_time() -> None:
    first, second = (grad_cam.draw(cam_result(MAP, MAP, listed=True), photo_of(), params(class_index=(0, 1))) for _ in range(2))
    for one, other in zip(first.artifacts, second.artifacts, strict=True):
        assert isinstance(one, Picture) == isinstance(other, Picture)
        if isinstance(one, Picture) and isinstance(other, Picture):
            assert one.image.tobytes() == other.image.tobytes()
