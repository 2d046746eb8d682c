"""pytorch-grad-cam, Captum, torch-lucent, and torch written by hand. This module needs KERAS_BACKEND=torch, so that TensorFlow stays out.

The libraries run a module in channels_last, which is torch's documented layout for convolutions on processors.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch

from benchmarks.peers.offers import Call, offers, versions
from benchmarks.peers.shared_models import headless_vgg, keras_model
from benchmarks.peers.torch_twin import TorchTwin
from benchmarks.peers.work import ACTIVATIONS_LAYER, FILTERS_LAYER, FILTERS_SIDE, LAYERS, SCORE_CAM_LAYER, Given, PeerWork
from tests.parity.stand_ins import stand_ins

with stand_ins("torchvision", "skimage"):
    import captum.attr as captum
    import pytorch_grad_cam
    from lucent.optvis import objectives as lucent_objectives
    from lucent.optvis import param as lucent_param
    from lucent.optvis import render as lucent_render
    from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

VERSIONS = versions("torch", "grad-cam", "captum", "torch-lucent")
_GRAD_CAM, _CAPTUM, _LUCENT = "pytorch-grad-cam", "Captum", "torch-lucent"
_WINDOW = 32


def whole_twin(work: PeerWork, given: Given) -> TorchTwin:
    """Return the twin of a model, in channels_last, after a check of its answers."""
    twin = TorchTwin(keras_model(work.model, given)).to(memory_format=torch.channels_last)
    with torch.no_grad():
        given.check_twin(work.model, twin(photos(work, given, 2)).numpy())
    return twin


def photos(work: PeerWork, given: Given, count: int) -> torch.Tensor:
    """Return inputs (count, 3, 224, 224) in channels_last."""
    array = np.moveaxis(given.photos(work.model, count), -1, 1)
    return torch.from_numpy(np.ascontiguousarray(array)).to(memory_format=torch.channels_last)


@offers("grad_cam", _GRAD_CAM)
@offers("eight_jobs", _GRAD_CAM)
def package_grad_cam(work: PeerWork, given: Given) -> Call:
    twin = whole_twin(work, given).requires_grad_(True)
    explain = pytorch_grad_cam.GradCAM(twin, [getattr(twin, LAYERS[work.model])])
    targets = [ClassifierOutputTarget(index) for index in given.classes(work)]
    inputs = photos(work, given, work.images)
    return lambda: explain(inputs, targets)


@offers("score_cam", _GRAD_CAM)
def package_score_cam(work: PeerWork, given: Given) -> Call:
    twin = whole_twin(work, given)
    explain = pytorch_grad_cam.ScoreCAM(twin, [getattr(twin, SCORE_CAM_LAYER)])
    explain.batch_size = 32
    targets, inputs = [ClassifierOutputTarget(index) for index in given.classes(work)], photos(work, given, 1)
    return lambda: explain(inputs, targets)


@offers("grad_cam", _CAPTUM)
@offers("eight_jobs", _CAPTUM)
def captum_grad_cam(work: PeerWork, given: Given) -> Call:
    twin = whole_twin(work, given)
    explain = captum.LayerGradCam(twin, getattr(twin, LAYERS[work.model]))
    inputs, classes = photos(work, given, work.images).requires_grad_(True), given.classes(work)

    def call() -> object:
        maps = explain.attribute(inputs, classes, relu_attributions=True)
        return maps.detach()[:, 0].numpy()

    return call


@offers("integrated_gradients", _CAPTUM)
def captum_integrated_gradients(work: PeerWork, given: Given) -> Call:
    explain, inputs, classes = captum.IntegratedGradients(whole_twin(work, given)), photos(work, given, 1), given.classes(work)
    return lambda: explain.attribute(inputs, target=classes, n_steps=work.amount, internal_batch_size=8)


@offers("smooth_grad", _CAPTUM)
def captum_smooth_grad(work: PeerWork, given: Given) -> Call:
    explain, inputs, classes = captum.NoiseTunnel(captum.Saliency(whole_twin(work, given))), photos(work, given, 1), given.classes(work)
    options = {"nt_type": "smoothgrad", "nt_samples": work.amount, "nt_samples_batch_size": 8, "stdevs": 0.3, "target": classes}
    return lambda: explain.attribute(inputs, **options)


@offers("occlusion", _CAPTUM)
def captum_occlusion(work: PeerWork, given: Given) -> Call:
    explain, inputs, classes = captum.Occlusion(whole_twin(work, given)), photos(work, given, 1), given.classes(work)
    window = (3, _WINDOW, _WINDOW)
    return lambda: explain.attribute(inputs, window, window, target=classes, perturbations_per_eval=16)


@offers("activations", _CAPTUM)
def captum_activations(work: PeerWork, given: Given) -> Call:
    twin = whole_twin(work, given)
    explain, inputs = captum.LayerActivation(twin, getattr(twin, ACTIVATIONS_LAYER)), photos(work, given, 1)
    return lambda: np.moveaxis(explain.attribute(inputs)[0].numpy(), 0, -1)


@offers("filters", _LUCENT)
def lucent_filters(work: PeerWork, given: Given) -> Call:
    """Its own Fourier parametrisation and transforms, all channels in one call. The model ends at the layer."""
    twin = TorchTwin(headless_vgg(given), last=FILTERS_LAYER).to(memory_format=torch.channels_last)
    objective = lucent_objectives.channel(FILTERS_LAYER, 0, batch=0)
    for channel in range(1, work.images):
        objective += lucent_objectives.channel(FILTERS_LAYER, channel, batch=channel)
    options = {"thresholds": (work.amount,), "preprocess": False, "progress": False, "show_image": False, "fixed_image_size": FILTERS_SIDE}
    return lambda: lucent_render.render_vis(twin, objective, partial(lucent_param.image, FILTERS_SIDE, batch=work.images), **options)
