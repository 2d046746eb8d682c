"""Methods explain targets other than classes: numbers worked by hand on linear models, through the same functions that a worker calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from rendering.photo import Photo, Placement
from schemas.errors import InvalidParameters
from schemas.limits import MethodLimits
from schemas.methods import METHODS, family_of
from schemas.methods.evaluation.judged_map import attribution_methods
from tests.workers.methods.linear import driven
from tests.workers.models.entries import file_entry
from workers.contract.artifacts import Array, Output
from workers.contract.inputs import Inputs, Prepared
from workers.engine.probe import KerasProbe
from workers.methods import implementation
from workers.models.description.describe import describe

SIZE = (3, 5)
IMAGE = "img_" + "b" * 64
# The photo is the input itself, so a position of a map is a pixel.
PHOTO = Photo(np.full((*SIZE, 3), 7, np.uint8), Placement(SIZE, (0, 0, *SIZE), (0, 0, *SIZE)))


def probe_of(model: keras.Model, **settings: Any) -> KerasProbe:
    return KerasProbe(model, describe(model, file_entry(Path("tested"), **settings)))


def segmentation() -> keras.Model:
    """Return a model of an image (3, 5, 1) with the feature 2x at each position, and the logits (2x, -2x, 1) of three classes."""
    photo = keras.Input((*SIZE, 1), name="photo")
    feature = layers.Conv2D(1, 1, use_bias=False, name="feature")(photo)
    model = keras.Model(photo, layers.Conv2D(3, 1, activation="softmax", name="seg")(feature))
    model.get_layer("feature").set_weights([np.full((1, 1, 1, 1), 2, "float32")])
    model.get_layer("seg").set_weights([np.array([[[[1, -1, 0]]]], "float32"), np.array([0, 0, 1], "float32")])
    return model


def explain(method: str, probe: KerasProbe, tensor: np.ndarray, *, other: np.ndarray | None = None, **params: Any) -> tuple[Any, Output]:
    """Return result and output of the first of two equal jobs, or of the one job of a slow method."""
    resolved = METHODS[method].model_validate(params).resolve(probe.published, MethodLimits())
    how = implementation(method)
    named = None if other is None else Prepared(PHOTO, other)
    if how.lane == "slow":
        _, result = driven(how.run(probe, Inputs(tensor, PHOTO.image, photos=(PHOTO,), target_image=named), resolved))
    else:
        twice = Inputs(np.concatenate([tensor, tensor * 2]), photos=(PHOTO, PHOTO), target_image=named)
        result, _ = how.run(probe, twice, [resolved, resolved])
    return result, how.draw(result, PHOTO, resolved)


X = np.array([[1, 2, 3, 0.2, -4], [0, 0.1, 5, -1, -2], [6, 0.3, -3, 2, 1]], np.float32)[None, ..., None]


def test_the_predicted_region_by_hand() -> None:
    probe = probe_of(segmentation())
    result, output = explain("grad_cam", probe, X, target={"region": {"class": 1}}, layer="feature")
    # Class 1 is predicted where -2x > 1 and -2x > 2x, which is at x = -4, -1, -2 and -3. The gradient of Σ -A over them is -1 there.
    region = X[0, ..., 0] < -0.5
    mean = -region.sum() / 15
    np.testing.assert_allclose(result.maps[0], np.maximum(mean * 2 * X[0, ..., 0], 0), rtol=1e-6)
    facts: Any = output.facts
    assert (facts.target, facts.value) == ("class 1 at 4 positions (predicted)", pytest.approx(2 * (4 + 1 + 2 + 3)))
    assert (facts.class_index, facts.label, facts.logit, facts.probability, facts.classes) == (None, None, None, None, ())
    hires, _ = explain("hires_cam", probe, X, target={"region": {"class": 1}}, layer="feature")
    np.testing.assert_allclose(hires.maps[0], np.where(region, -2 * X[0, ..., 0], 0), rtol=1e-6)


def test_each_job_of_a_batch_has_its_own_region() -> None:
    probe = probe_of(segmentation())
    params = (
        METHODS["hires_cam"]
        .model_validate({"target": {"region": {"class": 0}}, "layer": "feature"})
        .resolve(probe.published, MethodLimits())
    )
    both = implementation("hires_cam").run(probe, Inputs(np.concatenate([X, -X]), photos=(PHOTO, PHOTO)), [params, params])
    for result, x in zip(both, (X, -X), strict=True):
        np.testing.assert_allclose(result.maps[0], np.where(x[0, ..., 0] > 0.5, 2 * x[0, ..., 0], 0), rtol=1e-6)


def test_a_box_a_point_and_a_mask_by_hand() -> None:
    probe = probe_of(segmentation())
    mask = np.zeros((*SIZE, 3), np.uint8)
    mask[0, :2] = 255
    masked = Prepared(Photo(mask, PHOTO.placement), X[0])
    for where, region in (
        ({"box": [1, 1, 2, 3]}, np.s_[1:3, 1:4]),
        ({"point": [2.2, 0.4]}, np.s_[2:3, 0:1]),
        ({"mask": IMAGE}, np.s_[0:1, 0:2]),
    ):
        params = METHODS["grad_x_input"].model_validate({"target": {"region": {"class": 0, "where": where}}})
        params = params.resolve(probe.published, MethodLimits())
        (found,) = implementation("grad_x_input").run(probe, Inputs(X, photos=(PHOTO,), target_image=masked), [params])
        expected = np.zeros(SIZE, np.float32)
        expected[region] = 2 * X[0, ..., 0][region]
        np.testing.assert_allclose(found.maps[0], expected, rtol=1e-6)


def test_occlusion_watches_the_mean_probability_of_a_region() -> None:
    probe = probe_of(segmentation())
    result, output = explain(
        "occlusion",
        probe,
        X,
        target={"region": {"class": 0, "where": {"box": [0, 0, 1, 2]}}},
        window=1,
        stride=1,
        baseline="black",
        score="probability",
    )

    def p(x: float) -> float:
        return float(np.exp(2 * x) / (np.exp(2 * x) + np.exp(-2 * x) + np.e))

    expected = np.zeros(SIZE)
    expected[0, 0], expected[0, 1] = (p(1) - p(0)) / 2, (p(2) - p(0)) / 2
    np.testing.assert_allclose(result.maps[0], expected, atol=1e-6)
    facts: Any = output.facts
    assert facts.value == pytest.approx((p(1) + p(2)) / 2)


def test_the_predicted_region_does_not_move_while_the_photo_is_covered() -> None:
    probe = probe_of(segmentation())
    result, _ = explain("occlusion", probe, X, target={"region": {"class": 0}}, window=1, stride=1, baseline="black")
    # Where class 0 is predicted, covering x takes its logit 2x away, although the class is then predicted there no longer.
    np.testing.assert_allclose(result.maps[0], np.where(X[0, ..., 0] > 0.5, 2 * X[0, ..., 0], 0), atol=1e-6)


def classifier() -> keras.Model:
    """Return a model of an image (3, 5, 1) with the logits (m, 2m + 1, -m, 5m) for the mean m."""
    photo = keras.Input((*SIZE, 1), name="photo")
    mean = layers.GlobalAveragePooling2D(name="mean")(layers.Conv2D(1, 1, use_bias=False, kernel_initializer="ones", name="same")(photo))
    model = keras.Model(photo, layers.Dense(4, activation="softmax", name="scores")(mean))
    model.get_layer("scores").set_weights([np.array([[1, 2, -1, 5]], "float32"), np.array([0, 1, 0, 0], "float32")])
    return model


def test_differences_of_classes_by_hand() -> None:
    probe, x = probe_of(classifier()), np.full((1, *SIZE, 1), 1, np.float32)
    # m = 1: the logits are 1, 3, -1 and 5. Each pixel has a share of 1/15 in m.
    for given, slope, value, name in (
        ({"of": 3, "from": [0]}, 4, 4, "class 3 − class 0"),
        ({"of": 3, "from": [0, 2], "weight": 0.5}, 5, 5, "class 3 − 0.5 · mean of class 0, class 2"),
        ({}, 5 - 2 / 3, 4, "class 3 − mean of class 1, class 0, class 2"),
        ({"of": 1, "from": "nearest"}, 2 - 5 / 3, 3 - 5 / 3, "class 1 − mean of class 0, class 3, class 2"),
    ):
        result, output = explain("saliency", probe, x, target={"difference": given})
        np.testing.assert_allclose(result.values, np.full((1, *SIZE, 1), slope / 15), rtol=1e-5)
        facts: Any = output.facts
        assert (facts.target, facts.value) == (name, pytest.approx(value, rel=1e-6))


def test_a_regressor_by_its_element() -> None:
    photo = keras.Input((*SIZE, 1), name="photo")
    mean = layers.GlobalAveragePooling2D(name="mean")(layers.Conv2D(1, 1, name="same", kernel_initializer="ones")(photo))
    model = keras.Model(photo, layers.Dense(2, name="ages", kernel_initializer=keras.initializers.Constant(3))(mean))
    probe = probe_of(model, head="regression")
    assert (probe.description.heads[0].kind, probe.description.classes) == ("regression", None)
    _, output = explain("integrated_gradients", probe, X, target={"element": [1]}, baseline="black", steps=4)
    facts: Any = output.facts
    assert facts.target == "element [1]"
    assert facts.attributed[0] == pytest.approx(facts.value)
    np.testing.assert_allclose(next(each.array for each in output.artifacts if isinstance(each, Array)), 3 / 15 * X[0], rtol=1e-5)


def test_the_similarity_to_another_image_by_hand() -> None:
    photo = keras.Input((1, 1, 3), name="photo")
    model = keras.Model(photo, layers.UnitNormalization(name="unit")(layers.Flatten(name="flat")(photo)))
    probe = probe_of(model)
    x, other = np.array([[[[0, 2, 0]]]], np.float32), np.array([[[3, 4, 0]]], np.float32)
    for layer in (None, "flat"):
        result, output = explain("saliency", probe, x, other=other, target={"similarity": {"image": IMAGE, "layer": layer}})
        facts: Any = output.facts
        assert facts.value == pytest.approx(0.8)
        # ∂cos/∂x = (o − cos · x/|x|) / |x| = ((.6, .8, 0) − .8 · (0, 1, 0)) / 2
        np.testing.assert_allclose(result.values.ravel(), [0.3, 0, 0], atol=1e-6)
    with pytest.raises(InvalidParameters, match="image to compare with are all zero"):
        explain("saliency", probe, x, other=other * 0, target={"similarity": {"image": IMAGE}})


def test_a_channel_and_a_neuron_by_hand() -> None:
    probe = probe_of(segmentation())
    channel, output = explain("saliency", probe, X, target={"activation": {"layer": "feature", "channel": 0}})
    np.testing.assert_allclose(channel.values, np.full((1, *SIZE, 1), 2 / 15), rtol=1e-6)
    facts: Any = output.facts
    assert (facts.target, facts.value) == ("channel 0 of feature", pytest.approx(float(2 * X.mean())))
    neuron, _ = explain("saliency", probe, X, target={"activation": {"layer": "feature", "channel": 0, "position": [2, 1]}})
    assert neuron.values[0, 2, 1, 0] == 2
    assert neuron.values.sum() == 2


def test_a_region_that_is_not_there_is_said() -> None:
    with pytest.raises(InvalidParameters, match="predicts class 1 nowhere in this photo"):
        explain("grad_cam", probe_of(segmentation()), np.abs(X), target={"region": {"class": 1}}, layer="feature")


QUICK: dict[str, dict[str, Any]] = {"rise": {"masks": 10}, "integrated_gradients": {"steps": 2}, "smooth_grad": {"samples": 2}}


@pytest.mark.parametrize("method", sorted(attribution_methods()))
def test_every_attribution_takes_a_region(method: str) -> None:
    if "target" not in METHODS[method].model_fields:
        pytest.skip("it explains no score")
    if family_of(method) == "attention":
        pytest.skip("it needs a model with attention, and its own tests explain another target with one")
    probe = probe_of(segmentation())
    layer = {"layer": "feature"} if "layer" in METHODS[method].model_fields else {}
    result, output = explain(method, probe, X, target={"region": {"class": 0}}, **layer, **QUICK.get(method, {}))
    facts: Any = output.facts
    assert facts.target == "class 0 at 7 positions (predicted)"
    assert result.maps.shape[0] == 1
    assert np.isfinite(result.maps).all()
    assert np.ptp(result.maps) > 0


def test_faithfulness_of_a_map_of_a_region() -> None:
    probe = probe_of(segmentation())
    params = {"target": {"region": {"class": 0}}, "attribution": "hires_cam", "options": {"layer": "feature"}, "deletion": "black"}
    result, output = explain("faithfulness", probe, X, **params, score="logit", steps=15, randomisations=1)
    facts: Any = output.facts
    inside = np.sort(X[0, ..., 0][X[0, ..., 0] > 0.5])[::-1] * 2
    assert facts.value == pytest.approx(inside.sum())
    # Each step covers the next pixel, the largest logit first.
    np.testing.assert_allclose(result.deletion[:8], inside.sum() - np.concatenate([[0], np.cumsum(inside)]), atol=1e-5)
    assert (facts.target, facts.class_index) == ("class 0 at 7 positions (predicted)", None)
    assert len(facts.cascading) == 1
