"""Gradients, occlusion and CAMs are compared with Captum's.

These differences are known:
- The trapezoid rule of integrated gradients: Captum's `riemann_trapezoid` has n points from 0 to 1, and each inner weight is 1/n. The
  weights sum to (n − 1)/n, so all attributions are too small by this factor. Our weights sum to 1.
- DeepLIFT: in Captum 0.9, the ReLU before a maximum gets the gradient of the maximum and not what its rule returns, because both set a
  hook on the tensor between them. Its values then do not add up (0.56 of 5.4 is missing here). The test copies the tensor in between.
- Guided Grad-CAM: Captum enlarges the map to the nearest position by default. The test asks it for `bilinear`.
"""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest

from schemas.methods.gradients.gradient_shap import GradientShap
from tests.parity.peers import captum, torch
from tests.parity.twins import (
    BLACK,
    CLASSES,
    LAYERS,
    TOLERANCE,
    channels_first,
    channels_last,
    difference,
    photos,
    twins,
)
from workers.methods.gradients import gradient_shap, smooth_grad

pytestmark = [
    pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require gradients:UserWarning"),  # Captum only announces it
    pytest.mark.filterwarnings("ignore:Setting .*hooks on ReLU activations:UserWarning"),  # Captum removes them again
    pytest.mark.filterwarnings("ignore:Setting forward, backward hooks:UserWarning"),  # and these
]
TARGETS = list(CLASSES)


def values(method: str, **params: object) -> np.ndarray:
    """Return the attributions that `run` computes, (n, H, W, C)."""
    found = twins().run(method, photos(), **params)
    return np.concatenate([getattr(one, "attribution", one).values for one in found])


@pytest.mark.parametrize("score", ["logit", "probability"])
def test_saliency(score: str) -> None:
    model = twins().torch if score == "logit" else torch.nn.Sequential(twins().torch, torch.nn.Softmax(dim=1))
    expected = channels_last(captum.Saliency(model).attribute(channels_first(photos()), TARGETS, abs=False))
    assert difference(values("saliency", score=score), expected) < TOLERANCE
    maps = np.concatenate([found.maps for found in twins().run("saliency", photos(), score=score)])
    assert difference(maps, np.abs(expected).max(axis=-1)) < TOLERANCE


def test_gradient_times_input() -> None:
    expected = channels_last(captum.InputXGradient(twins().torch).attribute(channels_first(photos()), TARGETS))
    assert difference(values("grad_x_input"), expected) < TOLERANCE


@pytest.mark.parametrize(("average", "kind"), [("mean", "smoothgrad"), ("squares", "smoothgrad_sq"), ("variance", "vargrad")])
def test_smooth_grad(average: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Captum gets the noise that our method draws."""
    samples, noise, seed = 7, 0.3, 5
    copies = np.stack([smooth_grad.noisy_copies(image, slice(0, samples), noise, seed) for image in photos()])

    def add_noise(image: torch.Tensor, deviation: float, count: int) -> torch.Tensor:
        assert count == samples
        return channels_first(copies.reshape(-1, *copies.shape[2:]))

    monkeypatch.setattr(captum.NoiseTunnel, "_add_noise_to_input", staticmethod(add_noise))
    peer = captum.NoiseTunnel(captum.Saliency(twins().torch))
    expected = peer.attribute(channels_first(photos()), nt_type=kind, nt_samples=samples, target=TARGETS, abs=False)
    ours = values("smooth_grad", average=average, samples=samples, noise=noise, seed=seed)
    assert difference(ours, channels_last(expected)) < TOLERANCE


def test_integrated_gradients() -> None:
    peer, given = captum.IntegratedGradients(twins().torch), channels_first(photos())
    for steps in (1, 9, 50):
        expected = peer.attribute(given, BLACK, TARGETS, n_steps=steps, method="gausslegendre")
        assert difference(values("integrated_gradients", steps=steps), channels_last(expected)) < TOLERANCE
    _, delta = peer.attribute(given, BLACK, TARGETS, n_steps=50, return_convergence_delta=True)
    found = twins().run("integrated_gradients", photos(), steps=50)
    errors = np.concatenate([one.attributed - one.difference for one in found])
    # Both are sums of 702 values, and only rounding is left of them.
    np.testing.assert_allclose(errors, delta.numpy(), atol=TOLERANCE * np.abs([one.difference for one in found]).max())


def test_integrated_gradients_by_trapezoids() -> None:
    peer, steps = captum.IntegratedGradients(twins().torch), 9
    expected = peer.attribute(channels_first(photos()), BLACK, TARGETS, n_steps=steps, method="riemann_trapezoid")
    ours = values("integrated_gradients", steps=steps, rule="trapezoid")
    assert difference(ours * (steps - 1) / steps, channels_last(expected)) < TOLERANCE


def test_integrated_gradients_from_another_baseline() -> None:
    means = photos().mean(axis=(1, 2), keepdims=True)
    baseline = channels_first(np.broadcast_to(means, photos().shape))
    expected = captum.IntegratedGradients(twins().torch).attribute(channels_first(photos()), baseline, TARGETS, n_steps=9)
    assert difference(values("integrated_gradients", steps=9, baseline="mean"), channels_last(expected)) < TOLERANCE


def test_gradient_shap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Captum gets the baselines, the points and the noise that our method draws."""
    samples, given = 7, {"samples": 7, "baselines": ("black", "white"), "noise": 0.2, "seed": 5}
    params = GradientShap.model_validate(given)
    lines = [gradient_shap.RandomLines(image, params, twins().probe.description.preprocessing) for image in photos()]
    noisy = np.concatenate([each.ends(slice(0, samples)) for each in lines])
    points = np.concatenate([each.points for each in lines])
    chosen = np.tile(np.arange(samples) % 2, len(lines))
    monkeypatch.setattr(captum.NoiseTunnel, "_add_noise_to_input", staticmethod(lambda *_: channels_first(noisy)))
    monkeypatch.setattr(np.random, "choice", lambda count, size: chosen)
    monkeypatch.setattr(np.random, "uniform", lambda low, high, size: points)
    both = channels_first(np.stack([np.full_like(photos()[0], BLACK), np.full_like(photos()[0], -BLACK)]))
    expected = captum.GradientShap(twins().torch).attribute(channels_first(photos()), both, samples, 0.2, TARGETS)
    assert difference(values("gradient_shap", **given), channels_last(expected)) < TOLERANCE


class Copied(torch.nn.Module):
    """Returns a copy of its input."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.clone()


@pytest.mark.parametrize("baseline", ["black", "mean"])
def test_deep_lift(baseline: str) -> None:
    """The twins have convolutions, ReLUs, a maximum, batch norm, a mean and dense layers."""
    means = photos().mean(axis=(1, 2), keepdims=True)
    start = channels_first(np.broadcast_to(means, photos().shape)) if baseline == "mean" else BLACK
    peer = deepcopy(twins().torch)
    peer.pool1 = torch.nn.Sequential(Copied(), peer.pool1)
    expected, delta = captum.DeepLift(peer).attribute(channels_first(photos()), start, TARGETS, return_convergence_delta=True)
    assert np.abs(delta.detach().numpy()).max() < TOLERANCE * 10
    assert difference(values("deep_lift", baseline=baseline), channels_last(expected)) < 10 * TOLERANCE  # quotients round more


def test_guided_backprop() -> None:
    expected = captum.GuidedBackprop(twins().torch).attribute(channels_first(photos()), TARGETS)
    assert difference(values("guided_backprop"), channels_last(expected)) < TOLERANCE


def test_deconvolution_of_a_class() -> None:
    expected = captum.Deconvolution(twins().torch).attribute(channels_first(photos()), TARGETS)
    found = twins().probe.input_gradients(photos(), np.array(CLASSES, np.int32), relu_rule="deconv")
    assert difference(found.gradients, channels_last(expected)) < TOLERANCE


@pytest.mark.parametrize("path", LAYERS)
@pytest.mark.parametrize(("rule", "peer"), [("deconv", captum.NeuronDeconvolution), ("guided", captum.NeuronGuidedBackprop)])
def test_backprojection_of_a_neuron(path: str, rule: str, peer: type) -> None:
    activations = twins().probe.forward(photos(), (path,)).activations[path]
    y, x, k = (int(at) for at in np.unravel_index(activations.min(axis=0).argmax(), activations.shape[1:]))
    expected = peer(twins().torch, twins().torch.layer(path)).attribute(channels_first(photos()), (k, y, x))
    seed = np.zeros_like(activations)
    seed[:, y, x, k] = 1
    assert difference(twins().probe.backproject(photos(), path, seed, relu_rule=rule), channels_last(expected)) < TOLERANCE


@pytest.mark.parametrize("path", LAYERS)
@pytest.mark.parametrize(("rule", "peer"), [("deconv", captum.NeuronDeconvolution), ("guided", captum.NeuronGuidedBackprop)])
@pytest.mark.parametrize("keep", ["neuron", "map"])
def test_deconvnet(keep: str, path: str, rule: str, peer: type) -> None:
    """The methods keep a channel's strongest neuron, or its whole map with its activations, and set the rest to 0 (Zeiler and Fergus)."""
    channel = int(twins().probe.forward(photos(), (path,)).activations[path].max(axis=(1, 2)).min(axis=0).argmax())

    def kept(activations: torch.Tensor) -> torch.Tensor:
        own = activations[:, channel].flatten(1)
        own = own if keep == "map" else own.gather(1, own.argmax(dim=1, keepdim=True))
        return (own * own.detach()).sum(dim=1)

    expected = peer(twins().torch, twins().torch.layer(path)).attribute(channels_first(photos()), kept)
    found = twins().run("deconvnet", photos(), layer=path, channels=[channel], keep=keep, rule=rule)
    assert difference(np.concatenate([one.values for one in found]), channels_last(expected)) < TOLERANCE


@pytest.mark.parametrize("path", LAYERS)
def test_grad_cam(path: str) -> None:
    peer = captum.LayerGradCam(twins().torch, twins().torch.layer(path))
    expected = peer.attribute(channels_first(photos()), TARGETS, relu_attributions=True)
    maps = np.concatenate([found.maps for found in twins().run("grad_cam", photos(), layer=path)])
    assert difference(maps, expected.detach().numpy()[:, 0]) < TOLERANCE


@pytest.mark.usefixtures("maps_are_stretched")
@pytest.mark.parametrize("path", ["conv2", "relu2"])
def test_guided_grad_cam(path: str) -> None:
    peer = captum.GuidedGradCam(twins().torch, twins().torch.layer(path))
    expected = peer.attribute(channels_first(photos()), TARGETS, interpolate_mode="bilinear")
    assert difference(values("guided_grad_cam", layer=path), channels_last(expected)) < TOLERANCE


@pytest.mark.parametrize(("window", "stride"), [((3, 5), (2, 3)), ((4, 4), (4, 4)), ((13, 18), (1, 1)), ((1, 2), (1, 1))])
def test_occlusion(window: tuple[int, int], stride: tuple[int, int]) -> None:
    """Windows overlap or not, and the last ones are cut off at the edge."""
    peer = captum.Occlusion(twins().torch)
    expected = peer.attribute(
        channels_first(photos()), (3, *window), strides=(3, *stride), baselines=BLACK, target=TARGETS, perturbations_per_eval=16
    )
    found = twins().run("occlusion", photos(), window=window, stride=stride, baseline="black")
    maps = np.concatenate([one.maps for one in found])
    for channel in expected.numpy().swapaxes(0, 1):
        assert difference(maps, channel) < TOLERANCE
