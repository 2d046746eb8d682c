"""Gradient methods on a model that is a formula: logit_c = Σ W_c·x², so that ∂y/∂x = 2·W_c·x."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from schemas.errors import LimitExceeded, NonFinite
from schemas.limits import MethodLimits
from schemas.methods import METHODS
from schemas.methods.gradients.guided_backprop import GuidedBackprop
from schemas.methods.gradients.integrated_gradients import IntegratedGradients, IntegratedGradientsFacts
from schemas.methods.gradients.saliency import Saliency
from schemas.methods.gradients.smooth_grad import SmoothGrad
from schemas.models import Preprocessing
from tests.workers.methods.linear import driven
from tests.workers.methods.support import FormulaProbe, batch, photo_of, published, softmax
from workers.contract.arrays import Float32
from workers.contract.artifacts import Array, Output, Picture
from workers.contract.inputs import Inputs, Photo, Placement
from workers.contract.probe import InputGradients
from workers.methods.gradients import (
    grad_x_input,
    gradient_attribution,
    gradient_pictures,
    guided_backprop,
    integrated_gradients,
    saliency,
    smooth_grad,
)

W = FormulaProbe.WEIGHTS


class Recorded(FormulaProbe):
    """Keeps what is asked of it, and says how many ReLUs followed a rule."""

    def __init__(self, model: Any = None, *, relus: int = 3) -> None:
        super().__init__(model)
        self.asked: list[dict[str, Any]] = []
        self.rows: list[int] = []
        self._relus = relus

    def input_gradients(self, tensor: Float32, class_indices: Any, **asked: Any) -> InputGradients:
        self.asked.append(asked)
        self.rows.append(len(tensor))
        found = super().input_gradients(tensor, class_indices, score=asked["score"], sign=asked["sign"])
        return InputGradients(found.gradients, found.logits, found.probabilities, found.class_indices, self._relus)


def resolved(method: str, **params: Any) -> Any:
    return METHODS[method].model_validate(params).resolve(published(), MethodLimits())


def by_name(output: Output) -> dict[str, np.ndarray]:
    return {each.name: each.image if isinstance(each, Picture) else each.array for each in output.artifacts}


def test_saliency_is_the_largest_absolute_gradient_of_the_channels() -> None:
    x = batch(3)
    found = saliency.run(FormulaProbe(), Inputs(x), [resolved("saliency", class_index=c) for c in (0, 2, None)])
    tops = (x**2).sum((1, 2)) @ W.T
    for row, c in enumerate((0, 2, int(tops[2].argmax()))):
        np.testing.assert_allclose(found[row].values, [2 * W[c] * x[row]], rtol=1e-6)
        np.testing.assert_allclose(found[row].maps, [np.abs(2 * W[c] * x[row]).max(-1)], rtol=1e-6)
        (scored,) = found[row].classes
        assert scored.class_index == c
        assert scored.logit == pytest.approx(float(tops[row, c]), rel=1e-5)
        assert scored.probability == pytest.approx(float(softmax(tops[row])[c]), rel=1e-4)


def test_gradient_times_input_keeps_its_sign_and_sums_to_twice_a_quadratic_logit() -> None:
    x = batch(2)
    first, second = grad_x_input.run(FormulaProbe(), Inputs(x), [resolved("grad_x_input", class_index=c) for c in (2, 0)])
    for found, image, c in ((first, x[0], 2), (second, x[1], 0)):
        np.testing.assert_allclose(found.maps[0], (2 * W[c] * image**2).sum(-1), rtol=1e-5, atol=1e-6)
        assert found.maps.sum() == pytest.approx(2 * found.classes[0].logit, rel=1e-5)
    assert second.maps.min() < 0 < second.maps.max()


def test_a_jobs_classes_are_rows_of_their_own_in_parts_of_eight() -> None:
    x, probe = batch(2), Recorded()
    jobs = [resolved("saliency", class_index=(0, 1, 2, 1, 0)), resolved("saliency", class_index=[2, 0, 1, 2, 0, 1])]
    first, second = saliency.run(probe, Inputs(x), jobs)
    assert probe.rows == [8, 3]
    assert first.values.shape == (5, 4, 6, 3)
    np.testing.assert_allclose(first.values, [2 * W[c] * x[0] for c in (0, 1, 2, 1, 0)], rtol=1e-6)
    np.testing.assert_allclose(second.values, [2 * W[c] * x[1] for c in (2, 0, 1, 2, 0, 1)], rtol=1e-6)
    assert [scored.label for scored in first.classes[:3]] == ["tench", "goldfish", "great white shark"]
    assert first.listed


def test_what_is_asked_of_the_probe() -> None:
    probe = Recorded()
    saliency.run(probe, Inputs(batch(1)), [resolved("saliency", score="probability", precision="bfloat16", output="predictions")])
    guided_backprop.run(probe, Inputs(batch(1)), [resolved("guided_backprop")])
    common = {"sign": 1, "precision": "float32", "output": None}
    assert probe.asked == [
        {**common, "score": "probability", "relu_rule": "gradient", "precision": "bfloat16", "output": "predictions"},
        {**common, "score": "logit", "relu_rule": "guided"},
    ]


def test_what_differs_on_the_device_is_no_batch() -> None:
    def key(**params: Any) -> Any:
        return saliency.batch_key(Saliency(**params))

    assert key(class_index=1, clip=90, colormap="gray", alpha=0.1) == key(class_index=(2, 0))
    keys = [key(), key(score="probability"), key(sign=-1), key(precision="bfloat16"), key(output="other")]
    assert len(set(keys)) == len(keys)


def noise_of(shape: tuple[int, ...], count: int, seed: int) -> np.ndarray:
    return np.stack([np.random.default_rng((seed, at)).standard_normal(shape, np.float32) for at in range(count)])


@pytest.mark.parametrize("samples", [1, 21, 50])
def test_smooth_grad_is_the_mean_over_noisy_copies(samples: int) -> None:
    x = batch(1)
    probe = Recorded()
    slices, found = driven(smooth_grad.run(probe, Inputs(x), resolved("smooth_grad", class_index=2, samples=samples, noise=0.2, seed=3)))
    sigma = 0.2 * (x.max() - x.min())
    expected = 2 * W[2] * (x[0] + sigma * noise_of((4, 6, 3), samples, 3).mean(0))
    np.testing.assert_allclose(found.values, expected[None], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.maps[0], np.abs(expected).max(-1), rtol=1e-4, atol=1e-5)
    assert probe.rows == [min(21, samples - start) for start in range(0, samples, 21)]
    assert [made.step for made in slices][-1] == samples == slices[-1].total
    assert found.classes[0].logit == pytest.approx(float(((x[0] ** 2).sum((0, 1)) * W[2]).sum()), rel=1e-5)  # of the photo itself


def test_smooth_grad_of_squares_never_cancels() -> None:
    x = batch(1)
    _, found = driven(smooth_grad.run(FormulaProbe(), Inputs(x), resolved("smooth_grad", class_index=(0, 1), samples=9, average="squares")))
    noisy = x[0] + 0.15 * np.ptp(x) * noise_of((4, 6, 3), 9, 0)
    for values, c in zip(found.values, (0, 1), strict=True):
        np.testing.assert_allclose(values, ((2 * W[c] * noisy) ** 2).mean(0), rtol=1e-4)
    assert (found.values >= 0).all()


def test_seeds_make_the_noise() -> None:
    def values(seed: int) -> np.ndarray:
        return driven(smooth_grad.run(FormulaProbe(), Inputs(batch(1)), resolved("smooth_grad", samples=4, seed=seed)))[1].values

    np.testing.assert_array_equal(values(5), values(5))
    assert not np.allclose(values(5), values(6))


@pytest.mark.parametrize("rule", ["gauss_legendre", "trapezoid"])
def test_integrated_gradients_of_a_quadratic_logit(rule: str) -> None:
    """From 0: ∫2·W·αx dα·x = W·x², which both rules have exactly since the gradient is linear in α."""
    x = batch(1)
    params = resolved("integrated_gradients", class_index=(0, 2), steps=4, rule=rule)
    slices, found = driven(integrated_gradients.run(FormulaProbe(), Inputs(x), params))
    for at, c in enumerate((0, 2)):
        np.testing.assert_allclose(found.attribution.values[at], W[c] * x[0] ** 2, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(found.attribution.maps[at], (W[c] * x[0] ** 2).sum(-1), rtol=1e-5, atol=1e-5)
        assert found.difference[at] == pytest.approx(found.attribution.classes[at].logit, rel=1e-6)
    assert (found.errors < 1e-6).all()
    assert [made.step for made in slices] == [4, 8]


def test_weights_and_places_of_the_rules() -> None:
    points, weights = integrated_gradients.quadrature("trapezoid", 5)
    np.testing.assert_allclose(points, [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(weights, [0.125, 0.25, 0.25, 0.25, 0.125])
    points, weights = integrated_gradients.quadrature("gauss_legendre", 2)
    np.testing.assert_allclose(points, [0.5 - 0.5 / 3**0.5, 0.5 + 0.5 / 3**0.5])
    np.testing.assert_allclose(weights, [0.5, 0.5])
    for rule, degree in (("gauss_legendre", 11), ("trapezoid", 1)):  # the highest power that six steps have exactly
        points, weights = integrated_gradients.quadrature(rule, 6)
        assert float((weights * points**degree).sum()) == pytest.approx(1 / (degree + 1), abs=1e-12)
        assert float((weights * points ** (degree + 1)).sum()) != pytest.approx(1 / (degree + 2), abs=1e-12)


def test_baselines_are_in_the_models_units() -> None:
    x = batch(1)[0]
    spec = Preprocessing(mode="custom", mean=(10.0, 20.0, 30.0), std=(2.0, 4.0, 5.0), order="bgr")

    def start(**params: Any) -> np.ndarray:
        return integrated_gradients.start_of(x, IntegratedGradients(**params), spec)

    np.testing.assert_allclose(start(baseline="black"), np.broadcast_to(np.array([-5, -5, -6]), x.shape))
    np.testing.assert_allclose(start(baseline="white"), np.broadcast_to(np.array([122.5, 58.75, 45]), x.shape))
    np.testing.assert_allclose(start(baseline="mean"), np.broadcast_to(x.mean((0, 1)), x.shape), rtol=1e-5)
    blurred = start(baseline="blurred")
    assert 0 < np.ptp(blurred) < np.ptp(x)
    first, again, other = (start(baseline="random", seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    pixels = first[..., ::-1] * np.array([5, 4, 2]) + np.array([30, 20, 10])
    assert 0 <= pixels.min() < 30
    assert 225 < pixels.max() <= 255


def test_a_random_baseline_still_adds_up() -> None:
    params = resolved("integrated_gradients", class_index=1, steps=3, baseline="random", seed=2)
    _, found = driven(integrated_gradients.run(FormulaProbe(), Inputs(batch(1)), params))
    assert found.errors[0] < 1e-5
    assert abs(found.difference[0]) > 100


def test_completeness_is_told_and_warned_of() -> None:
    """One step of the probability, which is far from linear, misses much."""
    params = resolved("integrated_gradients", class_index=(1, 0), steps=1, score="probability")
    _, found = driven(integrated_gradients.run(FormulaProbe(), Inputs(batch(1)), params))
    output = integrated_gradients.draw(found, photo_of(), params)
    facts = output.facts
    assert isinstance(facts, IntegratedGradientsFacts)
    for at, (missed, whole) in enumerate(zip(facts.attributed, facts.score_difference, strict=True)):
        assert facts.completeness_error[at] == pytest.approx(abs(missed - whole) / abs(whole))
        assert found.attribution.values[at].sum() == pytest.approx(missed, rel=1e-4, abs=1e-6)
    assert facts.completeness_error[0] > 0.05
    assert output.warnings[0].startswith("goldfish (1): the attributions miss the score's difference by")


def test_without_a_difference_the_error_is_what_was_attributed() -> None:
    values = np.zeros((2, 4, 6, 3))
    found = integrated_gradients.Integrated(attribution(values, values[..., 0]), np.array([0.0, -2.0]), np.array([0.25, -1.0]))
    np.testing.assert_allclose(found.errors, [0.25, 0.5])


def attribution(values: np.ndarray, maps: np.ndarray, *, relus: int = 1, order: Any = "rgb") -> gradient_attribution.Attribution:
    found = saliency.run(FormulaProbe(), Inputs(batch(1)), [resolved("saliency", class_index=tuple(range(len(values))))])[0]
    preprocessing = Preprocessing(order=order)
    return gradient_attribution.Attribution(
        values.astype(np.float32), maps.astype(np.float32), found.classes, len(values) > 1, preprocessing, relus
    )


def test_pictures_show_where_and_which_sign() -> None:
    values = np.zeros((1, 4, 6, 3))
    values[0, 1, 4], values[0, 3, 0] = 2.0, -1.0
    params = resolved("grad_x_input", clip=100)
    output = gradient_pictures.draw_signed(attribution(values, values.sum(-1)), photo_of(40, 60), params)
    drawn = by_name(output)
    assert list(drawn) == ["picture", "overlay", "attribution", "map"]
    assert [each.primary for each in output.artifacts[:2] if isinstance(each, Picture)] == [True, False]
    picture = drawn["picture"].astype(int)
    assert picture.shape == (40, 60, 3)
    red, blue, paper = picture[15, 45], picture[35, 3], picture[25, 25]  # the middles of cells (1, 4), (3, 0) and an empty one
    assert red[0] > red[2] + 100
    assert blue[2] > blue[0] + 30
    assert paper.min() > 240
    np.testing.assert_array_equal(drawn["attribution"], values[0])
    np.testing.assert_array_equal(drawn["map"], values[0].sum(-1))


@pytest.mark.parametrize("order", ["rgb", "bgr"])
def test_colours_are_the_photos_whatever_the_models_order(order: str) -> None:
    values = np.zeros((1, 4, 6, 3))
    values[0, 0, 5] = (4.0, 0.0, -2.0)
    params = resolved("guided_backprop", clip=100)
    found = attribution(values, np.abs(values).max(-1), order=order)
    picture = by_name(gradient_pictures.draw_colour(found, photo_of(4, 6), params))["picture"]
    expected = (255, 128, 64) if order == "rgb" else (64, 128, 255)
    np.testing.assert_array_equal(picture[0, 5], expected)
    assert (picture[1:] == 128).all()


def test_a_grey_models_colours_are_grey() -> None:
    values = np.zeros((1, 4, 6, 1))
    values[0, 2, 3] = 1.0
    found = attribution(values, values[..., 0], order="gray")
    picture = by_name(gradient_pictures.draw_colour(found, photo_of(4, 6), resolved("guided_backprop", clip=100)))["picture"]
    np.testing.assert_array_equal(picture[2, 3], (255, 255, 255))
    assert (picture[0] == 128).all()


def test_what_the_model_did_not_see_is_black_or_the_photo() -> None:
    photo = Photo(photo_of(8, 12).image, Placement((4, 6), (0, 0, 4, 6), (0, 3, 8, 6)))
    values = np.random.default_rng(0).normal(size=(1, 4, 6, 3))
    drawn = by_name(gradient_pictures.draw_colour(attribution(values, np.abs(values).max(-1)), photo, resolved("guided_backprop")))
    for columns in (slice(0, 3), slice(9, 12)):
        assert not drawn["picture"][:, columns].any()
        np.testing.assert_array_equal(drawn["overlay"][:, columns], photo.image[:, columns])
    assert drawn["picture"][:, 3:9].any(axis=-1).all()


def test_clipping_by_percentile_of_what_is_not_zero() -> None:
    values = np.array([[0, 0, 0, 1, -2, 3, 4, -100]], np.float32)
    np.testing.assert_allclose(gradient_pictures.clipped(values, 75), [[0, 0, 0, 1, -2, 3, 4, -4]])
    np.testing.assert_allclose(gradient_pictures.clipped(values, 100), values)
    zeros = np.zeros((2, 3), np.float32)
    np.testing.assert_array_equal(gradient_pictures.clipped(zeros, 99), zeros)


@pytest.mark.parametrize(
    ("method", "background"), [("saliency", (0, 0, 4)), ("grad_x_input", (247, 247, 247)), ("guided_backprop", (128, 128, 128))]
)
def test_a_map_without_contrast_is_said_and_drawn_as_nothing(method: str, background: tuple[int, ...]) -> None:
    draw = {
        "saliency": gradient_pictures.draw_magnitude,
        "grad_x_input": gradient_pictures.draw_signed,
        "guided_backprop": gradient_pictures.draw_colour,
    }[method]
    for value, words in ((0.0, "zero everywhere"), (3.0, "the same everywhere"), (np.nan, "not finite")):
        values = np.full((2, 4, 6, 3), value)
        output = draw(attribution(values, values[..., 0]), photo_of(), resolved(method, class_index=(0, 1)))
        assert [f"goldfish (1): the map is {words}" in warning for warning in output.warnings] == [False, True]
        single = draw(attribution(values[:1], values[:1, ..., 0]), photo_of(), resolved(method))
        assert np.abs(by_name(single)["picture"].astype(int) - background).max() <= 2


def test_a_photo_of_one_pixel() -> None:
    values = np.random.default_rng(1).normal(size=(1, 4, 6, 3))
    photo = photo_of(1, 1)
    for draw in (gradient_pictures.draw_signed, gradient_pictures.draw_colour):
        for name, drawn in by_name(draw(attribution(values, values.sum(-1)), photo, resolved("guided_backprop"))).items():
            assert drawn.shape == ((1, 1, 3) if name in ("picture", "overlay") else values.shape[1:] if name == "attribution" else (4, 6))


def test_several_classes_are_tiles_with_all_arrays() -> None:
    x, params = batch(1), resolved("saliency", class_index=("goldfish", "tench"))
    (found,) = saliency.run(FormulaProbe(), Inputs(x), [params])
    output = saliency.draw(found, photo_of(20, 30), params)
    drawn = by_name(output)
    assert drawn["attribution"].shape == (2, 4, 6, 3)
    assert drawn["map"].shape == (2, 4, 6)
    assert drawn["picture"].shape[1] == 2 * 30 + 4
    assert (output.facts.model_dump()["class_index"], len(output.facts.model_dump()["classes"])) == (1, 2)


def test_scores_that_are_not_finite_fail_the_job() -> None:
    x = batch(1) * np.float32(1e30)
    with np.errstate(over="ignore", invalid="ignore"):
        (found,) = saliency.run(FormulaProbe(), Inputs(x), [resolved("saliency")])
    with pytest.raises(NonFinite, match="not finite"):
        saliency.draw(found, photo_of(), Saliency())


def test_guided_backpropagation_without_relus_says_that_it_is_the_plain_gradient() -> None:
    params = resolved("guided_backprop")
    for relus, said in ((0, True), (4, False)):
        (found,) = guided_backprop.run(Recorded(relus=relus), Inputs(batch(1)), [params])
        output = guided_backprop.draw(found, photo_of(), params)
        assert (guided_backprop.NO_RELU in output.warnings) is said
    assert isinstance(params, GuidedBackprop)


def test_limits_on_gradients_of_one_job() -> None:
    for method, name in (("smooth_grad", "samples"), ("integrated_gradients", "steps")):
        with pytest.raises(LimitExceeded, match=r"at most 8,192 gradients, got 900 for each of 10 classes") as raised:
            METHODS[method].model_validate({name: 900, "class_index": [0, 1] * 5}).resolve(published(), MethodLimits())
        assert raised.value.pointer == f"/params/{name}"
    with pytest.raises(ValueError, match="give at least 2"):
        IntegratedGradients(steps=1, rule="trapezoid")
    assert SmoothGrad(samples=1000).samples == 1000


def test_arrays_are_those_of_one_class_without_an_axis_for_classes() -> None:
    output = saliency.draw(saliency.run(FormulaProbe(), Inputs(batch(1)), [resolved("saliency")])[0], photo_of(), Saliency())
    assert {each.name: each.array.shape for each in output.artifacts if isinstance(each, Array)} == {
        "attribution": (4, 6, 3),
        "map": (4, 6),
    }
