"""Gradients and perturbations are compared with Xplique's, on the same Keras model in the same process.

These differences are known:
- Occlusion: Xplique adds up what the windows over a position take from the score. The middle lies under more windows than the edge, so
  it stands out. We take the mean. Xplique's windows end where a whole one fits. Ours are cut off at the edge and cover the photo.
- Average drop: Xplique multiplies the model's input by the map, and we fade the photo to black. Both are the same for a model whose 0
  is black, such as the one in the test.
- RISE: Xplique divides by the sum of the masks at each position. The paper and we divide by their number times the probability.
"""

from __future__ import annotations

from functools import cache

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.parity.peers import xplique, xplique_metrics
from tests.parity.twins import BLACK, CLASSES, LAYERS, SIZE, TOLERANCE, difference, photos, twins
from workers.methods.evaluation import faithfulness
from workers.methods.perturbation.rise import SoftMasks

TARGETS = np.eye(5, dtype=np.float32)[list(CLASSES)]


@cache
def logits_model() -> keras.Model:
    """Return the model without its softmax, because Xplique explains the model's output."""
    model = keras.models.clone_model(twins().keras)
    model.set_weights(twins().keras.get_weights())
    model.layers[-1].activation = keras.activations.linear
    return keras.Model(model.inputs, model.outputs)


def values(method: str, **params: object) -> np.ndarray:
    """Return the attributions that `run` computes, (n, H, W, C)."""
    found = twins().run(method, photos(), **params)
    return np.concatenate([getattr(one, "attribution", one).values for one in found])


def test_saliency() -> None:
    expected = xplique.Saliency(logits_model(), reducer="max")(photos(), TARGETS).numpy()[..., 0]
    maps = np.concatenate([found.maps for found in twins().run("saliency", photos())])
    assert difference(maps, expected) < TOLERANCE


def test_gradient_times_input() -> None:
    expected = xplique.GradientInput(logits_model(), reducer=None)(photos(), TARGETS).numpy()
    assert difference(values("grad_x_input"), expected) < TOLERANCE


@pytest.mark.parametrize("steps", [2, 9, 50])
def test_integrated_gradients(steps: int) -> None:
    peer = xplique.IntegratedGradients(logits_model(), reducer=None, steps=steps, baseline_value=BLACK)
    ours = values("integrated_gradients", steps=steps, rule="trapezoid")
    assert difference(ours, peer(photos(), TARGETS).numpy()) < TOLERANCE


@pytest.mark.parametrize("path", LAYERS)
@pytest.mark.parametrize("sigmas", [1, 2])
def test_fem(sigmas: float, path: str) -> None:
    """The maps of the layer are compared, because the peer enlarges them by bicubic interpolation."""
    activations = twins().probe.forward(photos(), (path,)).activations[path]
    means, masks = xplique.FEM._compute_weights(tf.constant(activations), tf.constant(sigmas, tf.float32))
    expected = xplique.FEM._apply_weights(means, masks).numpy()
    found = twins().run("fem", photos(), layer=path, sigmas=sigmas)
    assert difference(np.concatenate([each.maps for each in found]), expected) < TOLERANCE


def test_guided_backprop() -> None:
    expected = xplique.GuidedBackprop(logits_model(), reducer=None)(photos(), TARGETS).numpy()
    assert difference(values("guided_backprop"), expected) < TOLERANCE


def test_deconvolution_of_a_class() -> None:
    expected = xplique.DeconvNet(logits_model(), reducer=None)(photos(), TARGETS).numpy()
    found = twins().probe.input_gradients(photos(), np.array(CLASSES, np.int32), relu_rule="deconv")
    assert difference(found.gradients, expected) < TOLERANCE


@pytest.mark.parametrize(("window", "stride"), [((3, 4), (2, 2)), ((13, 3), (13, 3)), ((1, 2), (1, 1))])
def test_occlusion(window: tuple[int, int], stride: tuple[int, int]) -> None:
    """The sums agree if the windows fill the image exactly."""
    rows, columns = (range(0, side - length + 1, step) for side, length, step in zip(SIZE, window, stride, strict=True))
    assert (rows[-1] + window[0], columns[-1] + window[1]) == SIZE
    windows = np.zeros(SIZE)
    for top in rows:
        for left in columns:
            windows[top : top + window[0], left : left + window[1]] += 1
    peer = xplique.Occlusion(logits_model(), patch_size=window, patch_stride=stride, occlusion_value=BLACK)
    found = twins().run("occlusion", photos(), window=window, stride=stride, baseline="black")
    maps = np.concatenate([one.maps for one in found])
    assert difference(maps * windows, peer(photos(), TARGETS).numpy()[..., 0]) < TOLERANCE


@pytest.mark.parametrize("score", ["probability", "logit"])
def test_rise(score: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Xplique gets the masks that our method draws."""
    count, cells, probability, seed = 60, 5, 0.4, 11
    masks = SoftMasks(count, SIZE, cells, probability, seed)[:count]

    def seen_through(image: tf.Tensor, batch: tf.Tensor, value: float) -> tuple[tf.Tensor, tf.Tensor]:
        assert len(batch) == count
        soft = tf.constant(masks[..., None])
        return soft * image + (1 - soft) * value, soft

    monkeypatch.setattr(xplique.Rise, "_apply_masks", staticmethod(seen_through))
    model = twins().keras if score == "probability" else logits_model()
    peer = xplique.Rise(model, batch_size=count, nb_samples=count, grid_size=cells, preservation_probability=probability)
    expected = peer(photos(), TARGETS).numpy()[..., 0]
    found = twins().run("rise", photos(), masks=count, cells=cells, probability=probability, seed=seed, score=score)
    maps = np.concatenate([one.maps for one in found])
    assert difference(maps * (count * probability) / masks.sum(axis=0), expected) < TOLERANCE


def test_masks_of_rise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both masks come from the same cells and are cut out at the same places. The size is a multiple of the cells, because Xplique rounds
    other sizes differently.
    """
    size, cells = (15, 20), 5
    ours = SoftMasks(9, size, cells, 0.5, 3)

    def crop(enlarged: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
        assert shape == (9, *size, 1)
        places = ours.shift.tolist()
        return tf.stack(
            [mask[down : down + size[0], across : across + size[1]] for mask, (down, across) in zip(enlarged, places, strict=True)]
        )

    monkeypatch.setattr(tf.image, "random_crop", crop)
    image = tf.ones((*size, 3))
    _, expected = xplique.Rise._apply_masks.python_function(image, tf.constant(ours.open[..., None]), 0.0)
    assert difference(ours[:9], expected.numpy()[..., 0]) < TOLERANCE


def test_deletion_and_insertion() -> None:
    """Curves and areas belong to the tested map, which has no two equal values. Its 234 pixels form 18 equal parts."""
    given = {"attribution": "saliency", "steps": 18, "deletion": "black", "insertion": "black", "score": "logit"}
    for row, trial in enumerate(twins().run("faithfulness", photos(), **given)):
        photo, target = photos()[row : row + 1], TARGETS[row : row + 1]
        for peer, curve in ((xplique_metrics.Deletion, trial.deletion), (xplique_metrics.Insertion, trial.insertion)):
            metric = peer(logits_model(), photo, target, steps=18, baseline_mode=BLACK)
            expected = metric.detailed_evaluate(trial.map[None])
            assert difference(curve, np.array(list(expected.values()))) < TOLERANCE
            assert list(expected) == np.rint(trial.shares * 234).tolist()
            assert faithfulness.area(trial.shares, curve) == pytest.approx(metric.evaluate(trial.map[None]), rel=TOLERANCE)


def test_drop_and_increase() -> None:
    """The drop is that of the probabilities of two classes. Xplique adds 1e-8 to its divisor."""
    photo = keras.Input((*SIZE, 3))
    black_is_zero = keras.Model(photo, twins().keras(keras.layers.Rescaling(1, offset=BLACK)(photo)))
    trials = [
        trial
        for class_index in (0, 1)
        for trial in twins().run("faithfulness", photos(), attribution="saliency", steps=1, class_index=class_index)
    ]
    targets = np.eye(5, dtype=np.float32)[[trial.explained.class_index for trial in trials]]
    given = (black_is_zero, np.tile(photos() - np.float32(BLACK), (2, 1, 1, 1)), targets)
    maps = np.stack([trial.map for trial in trials])
    drop, increase = xplique_metrics.AverageDropMetric(*given), xplique_metrics.AverageIncreaseMetric(*given)
    drops = np.array([faithfulness.drop(trial.whole, trial.masked) for trial in trials])
    assert difference(drops, drop.detailed_evaluate(drop.inputs, drop.targets, maps)) < TOLERANCE
    assert drop.evaluate(maps) == pytest.approx(drops.mean(), rel=TOLERANCE)
    increased = np.array([trial.masked > trial.whole for trial in trials])
    assert increased.tolist() == increase.detailed_evaluate(increase.inputs, increase.targets, maps).astype(bool).tolist()
    assert 0 < increased.sum() < len(trials)


class DrawnHere(xplique_metrics.ModelRandomizationStrategy):
    """Draw weights as `randomised` does, for the layers that Xplique's own cascade reaches."""

    def __init__(self, seed: int, cascade: xplique_metrics.ProgressiveLayerRandomization) -> None:
        self.seed, self.cascade, self.reached = seed, cascade, ()

    def randomize(self, model: keras.Model) -> keras.Model:
        before = {layer.name: layer.get_weights() for layer in model.layers if layer.weights}
        self.cascade.randomize(model)
        self.reached = tuple(
            name
            for name, weights in before.items()
            if any((own != new).any() for own, new in zip(weights, model.get_layer(name).get_weights(), strict=True))
        )
        drawn = twins().probe.randomised(self.reached, self.seed)
        for name in self.reached:
            model.get_layer(name).set_weights(list(drawn.weights(name).values()))
        return model


def test_weights_drawn_anew() -> None:
    """The layers that a cascade reaches and the rank correlation of the maps are compared. Grad-CAM is left out, because Xplique's still
    looks at the layer of the original model.
    """
    given = {"attribution": "saliency", "randomisations": 3, "seed": 8, "steps": 1}
    for row, trial in enumerate(twins().run("faithfulness", photos(), **given)):
        assert [(drawn.layer, drawn.layers) for drawn in trial.cascading] == [("classes", 1), ("conv2", 4), ("conv1", 5)]
        for drawn in trial.cascading:
            strategy = DrawnHere(8, xplique_metrics.ProgressiveLayerRandomization(drawn.layers))
            metric = xplique_metrics.ModelRandomizationMetric(logits_model(), photos()[row : row + 1], TARGETS[row : row + 1], strategy)
            found = metric.evaluate(xplique.Saliency(logits_model(), reducer="max"))
            assert (len(strategy.reached), strategy.reached[0]) == (drawn.layers, drawn.layer)
            assert drawn.rank_correlation == pytest.approx(found, abs=TOLERANCE)
