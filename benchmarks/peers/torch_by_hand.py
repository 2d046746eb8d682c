"""torch as somebody writes it who knows it well: cut at the layer, channels_last, `torch.compile`, and bfloat16 in a second version."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from benchmarks.peers.offers import Call, Setup, offers
from benchmarks.peers.shared_models import headless_vgg, keras_model
from benchmarks.peers.torch_family import photos, whole_twin
from benchmarks.peers.torch_twin import TorchTwin
from benchmarks.peers.work import ACTIVATIONS_LAYER, FILTERS_LAYER, FILTERS_SIDE, LAYERS, Given, PeerWork

_NAME = "torch by hand"
_RATE, _BATCH = 10.0, 10
Compiled = Callable[..., torch.Tensor]


def _twin(work: PeerWork, given: Given, dtype: torch.dtype, first: str | None = None, last: str | None = None) -> Compiled:
    twin = TorchTwin(keras_model(work.model, given), first, last).to(dtype=dtype, memory_format=torch.channels_last)
    return torch.compile(twin)


def _grad_cam(work: PeerWork, given: Given, dtype: torch.dtype) -> Call:
    layer = LAYERS[work.model]
    body, head = _twin(work, given, dtype, last=layer), _twin(work, given, dtype, first=layer)
    inputs, classes = photos(work, given, work.images).to(dtype), torch.tensor(given.classes(work))[:, None]
    whole_twin(work, given)  # its answers are checked

    def call() -> object:
        with torch.no_grad():
            activations = body(inputs)
        activations = activations.detach().requires_grad_(True)
        (gradients,) = torch.autograd.grad(head(activations).gather(1, classes).sum(), activations)
        return (gradients.mean((2, 3), keepdim=True) * activations.detach()).sum(1).relu().float().numpy()

    return call


def _gradients(work: PeerWork, given: Given, dtype: torch.dtype, inputs: Callable[[torch.Tensor, int], torch.Tensor]) -> Call:
    """Return a call that takes the gradient at `amount` inputs, which `inputs` makes of a photo, in batches."""
    twin, (index,) = _twin(work, given, dtype), given.classes(work)
    photo = photos(work, given, 1)
    whole_twin(work, given)

    def call() -> object:
        total = torch.zeros_like(photo)
        for batch in inputs(photo, work.amount).split(_BATCH):
            given_here = batch.to(dtype=dtype, memory_format=torch.channels_last).requires_grad_(True)
            (gradients,) = torch.autograd.grad(twin(given_here)[:, index].sum(), given_here)
            total += gradients.sum(0, keepdim=True).float()
        return (total / work.amount).numpy()

    return call


def _on_the_line(photo: torch.Tensor, steps: int) -> torch.Tensor:
    return photo * ((torch.arange(steps) + 0.5) / steps)[:, None, None, None]


def _noisy(photo: torch.Tensor, samples: int) -> torch.Tensor:
    return photo + 0.3 * torch.randn(samples, *photo.shape[1:])


def _filters(work: PeerWork, given: Given, dtype: torch.dtype) -> Call:
    twin = torch.compile(TorchTwin(headless_vgg(given), last=FILTERS_LAYER).to(dtype=dtype, memory_format=torch.channels_last))
    channels = torch.arange(work.images)

    def call() -> object:
        images = ((torch.rand(work.images, 3, FILTERS_SIDE, FILTERS_SIDE) - 0.5) * 0.25).to(memory_format=torch.channels_last)
        for _ in range(work.amount):
            given_here = images.detach().to(dtype).requires_grad_(True)
            score = twin(given_here)[channels, channels, 2:-2, 2:-2].mean((1, 2)).sum()
            (gradients,) = torch.autograd.grad(score, given_here)
            gradients = gradients.float()
            images = images + _RATE * gradients / gradients.pow(2).sum((1, 2, 3), keepdim=True).sqrt()
        return images.numpy()

    return call


@offers("activations", _NAME)
def activations(work: PeerWork, given: Given) -> Call:
    twin, inputs = _twin(work, given, torch.float32, last=ACTIVATIONS_LAYER), photos(work, given, 1)

    def call() -> object:
        with torch.no_grad():
            return np.ascontiguousarray(np.moveaxis(twin(inputs)[0].numpy(), 0, -1))

    return call


def _offer(kind: str, dtype: torch.dtype, setup: Callable[[PeerWork, Given, torch.dtype], Call]) -> Setup:
    name = _NAME if dtype is torch.float32 else f"{_NAME}, bfloat16"
    return offers(kind, name)(lambda work, given: setup(work, given, dtype))


for _dtype in (torch.float32, torch.bfloat16):
    _offer("grad_cam", _dtype, _grad_cam)
    _offer("eight_jobs", _dtype, _grad_cam)
    _offer("integrated_gradients", _dtype, lambda work, given, dtype: _gradients(work, given, dtype, _on_the_line))
    _offer("smooth_grad", _dtype, lambda work, given, dtype: _gradients(work, given, dtype, _noisy))
    _offer("filters", _dtype, _filters)
