"""Attention methods compared with the code of vit-explain and of Chefer's notebook, on one vision transformer in Keras and in PyTorch.

Neither is a package that installs. So their formulas stand here in PyTorch as they are published, with the differences of decision 0082.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import keras
import numpy as np
import pytest
import torch

from schemas.limits import MethodLimits
from schemas.methods import METHODS
from tests.contract.cases import examined_model
from tests.zoo import seeded
from workers.contract.inputs import Inputs
from workers.methods import implementation
from workers.models.small_vit import BLOCKS, CHANNELS, HEADS, PATCH, small_vit

SIDE, CLASSES, TOLERANCE = 24, (2, 0), 1e-4
GRID = SIDE // PATCH


class TorchVit:
    """The twin of `small_vit` in PyTorch. It keeps the attention of each block, and its gradient, as the peers' hooks do."""

    def __init__(self, twin: keras.Model) -> None:
        self.weights = {layer.name: [torch.from_numpy(np.asarray(each)) for each in layer.get_weights()] for layer in twin.layers}
        self.attention: list[torch.Tensor] = []

    def __call__(self, photo: torch.Tensor) -> torch.Tensor:
        kernel, bias = self.weights["patches"]
        maps = torch.nn.functional.conv2d(photo.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), bias, stride=PATCH)
        x = maps.flatten(2).transpose(1, 2)
        x = torch.cat([torch.zeros(len(x), 1, CHANNELS), x], dim=1)
        kernel, bias = self.weights["positions"]
        x = x @ kernel + bias
        self.attention = []
        for number in range(1, BLOCKS + 1):
            x = x + self._attended(self._normed(x, f"block{number}_norm1"), f"block{number}_attention")
            (w1, b1), (w2, b2) = self.weights[f"block{number}_hidden"], self.weights[f"block{number}_out"]
            x = x + torch.nn.functional.gelu(self._normed(x, f"block{number}_norm2") @ w1 + b1) @ w2 + b2
        kernel, bias = self.weights["head"]
        return self._normed(x, "norm")[:, 0] @ kernel + bias

    def _attended(self, x: torch.Tensor, name: str) -> torch.Tensor:
        wq, bq, wk, bk, wv, bv, wo, bo = self.weights[name]
        q, k, v = (torch.einsum("btc,chd->bhtd", x, w) + b[:, None] for w, b in ((wq, bq), (wk, bk), (wv, bv)))
        attention = (q @ k.transpose(-2, -1) / math.sqrt(CHANNELS // HEADS)).softmax(dim=-1)
        attention.requires_grad_() if not attention.requires_grad else None
        attention.retain_grad()
        self.attention.append(attention)
        return torch.einsum("bhtd,hdc->btc", attention @ v, wo) + bo

    def _normed(self, x: torch.Tensor, name: str) -> torch.Tensor:
        gamma, beta = self.weights[name]
        return torch.nn.functional.layer_norm(x, (CHANNELS,), gamma, beta, eps=1e-6)


def dropped(flat: torch.Tensor, discard_ratio: float, *, keep_first: bool) -> None:
    """Drop the lowest attentions in place, as vit-explain does."""
    _, indices = flat.topk(int(flat.size(-1) * discard_ratio), -1, False)
    flat[0, indices[indices != 0] if keep_first else indices] = 0


def rollout(attentions: list[torch.Tensor], discard_ratio: float, head_fusion: str) -> torch.Tensor:
    """Return `vit_rollout.rollout`, in which each row is divided by its own sum."""
    result = torch.eye(attentions[0].size(-1))
    for attention in attentions:
        fused = attention.mean(axis=1) if head_fusion == "mean" else getattr(attention, head_fusion)(axis=1)[0]
        dropped(fused.view(fused.size(0), -1), discard_ratio, keep_first=True)
        a = (fused + 1.0 * torch.eye(fused.size(-1))) / 2
        result = torch.matmul(a / a.sum(dim=-1, keepdim=True), result)
    return result[0, 0, 1:]


def grad_rollout(attentions: list[torch.Tensor], gradients: list[torch.Tensor], discard_ratio: float) -> torch.Tensor:
    """Return `vit_grad_rollout.grad_rollout` with each layer's own gradient, in which each row is divided by its own sum."""
    result = torch.eye(attentions[0].size(-1))
    for attention, gradient in zip(attentions, gradients, strict=True):
        fused = (attention * gradient).mean(axis=1)
        fused[fused < 0] = 0
        dropped(fused.view(fused.size(0), -1), discard_ratio, keep_first=False)
        a = (fused + 1.0 * torch.eye(fused.size(-1))) / 2
        result = torch.matmul(a / a.sum(dim=-1, keepdim=True), result)
    return result[0, 0, 1:]


def generate_relevance(attentions: list[torch.Tensor], gradients: list[torch.Tensor]) -> torch.Tensor:
    """Return `generate_relevance` of Transformer-MM-Explainability's notebook for ViT."""
    relevance = torch.eye(attentions[0].size(-1))
    for attention, grad in zip(attentions, gradients, strict=True):
        cam = (grad.reshape(-1, *grad.shape[-2:]) * attention.reshape(-1, *attention.shape[-2:])).clamp(min=0).mean(dim=0)
        relevance = relevance + torch.matmul(cam, relevance)
    return relevance[0, 1:]


@cache
def twins() -> tuple[keras.Model, TorchVit]:
    model = seeded(small_vit(SIDE))
    return model, TorchVit(model)


def photos() -> np.ndarray:
    return np.random.default_rng(3).uniform(-1, 1, (2, SIDE, SIDE, 3)).astype(np.float32)


def by_torch(row: int, class_index: int) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Return the attention of each block, and the gradient of the logit by it."""
    vit = twins()[1]
    vit(torch.from_numpy(photos()[row : row + 1]))[0, class_index].backward()
    return [each.detach() for each in vit.attention], [each.grad.detach() for each in vit.attention if each.grad is not None]


def ours(method: str, **given: Any) -> list[np.ndarray]:
    probe, published = examined_model("small_vit", twins()[0])
    params = METHODS[method].model_validate(given).resolve(published, MethodLimits())
    results = implementation(method).run(probe, Inputs(photos()), [params] * 2)
    return [result.maps[0] for result in results]


def check(found: np.ndarray, expected: torch.Tensor) -> None:
    expected_map = expected.reshape(GRID, GRID).numpy()
    assert np.abs(found - expected_map).max() <= TOLERANCE * np.abs(expected_map).max()


def test_the_twins_are_the_same_network() -> None:
    model, vit = twins()
    logits = vit(torch.from_numpy(photos())).detach().numpy()
    np.testing.assert_allclose(model.predict(photos(), verbose=0), 1 / (1 + np.exp(-logits)), atol=1e-5)


@pytest.mark.parametrize(("head_fusion", "discard_ratio"), [("mean", 0), ("max", 0.9), ("min", 0.5)])
def test_rollout_is_that_of_vit_explain(head_fusion: str, discard_ratio: float) -> None:
    for row, found in enumerate(ours("attention_rollout", head_fusion=head_fusion, discard_ratio=discard_ratio)):
        check(found, rollout(by_torch(row, 0)[0], discard_ratio, head_fusion))


@pytest.mark.parametrize("class_index", CLASSES)
def test_gradient_rollout_is_that_of_vit_explain(class_index: int) -> None:
    for discard_ratio in (0, 0.4):
        for row, found in enumerate(ours("gradient_rollout", class_index=class_index, discard_ratio=discard_ratio)):
            check(found, grad_rollout(*by_torch(row, class_index), discard_ratio))


@pytest.mark.parametrize("class_index", CLASSES)
def test_relevance_is_that_of_the_authors_notebook(class_index: int) -> None:
    for row, found in enumerate(ours("chefer", class_index=class_index)):
        check(found, generate_relevance(*by_torch(row, class_index)))
