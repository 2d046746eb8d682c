"""The objective of feature inversion, written in torch, because no library has it in this form."""

from __future__ import annotations

import torch


def likeness(activations: torch.Tensor, features: torch.Tensor, kind: str) -> torch.Tensor:
    """Return a scalar (). It is minus the squared distance, divided by the square of the features (Mahendran and Vedaldi, arXiv:1412.0035),
    or the product divided by it and multiplied by the cosine, which counts as at least 0.1 (lucid's caricatures).
    """
    a, f = activations.flatten(), features.flatten()
    if kind == "l2":
        return -(a - f).square().sum() / f.square().sum()
    return a @ f / (f @ f) * torch.cosine_similarity(a, f, dim=0).clamp(min=0.1)


def total_variation(x: torch.Tensor) -> torch.Tensor:
    """Return the mean absolute difference of neighbours below and beside each other, a scalar ()."""
    return (x[:, :, 1:] - x[:, :, :-1]).abs().mean() + (x[..., 1:] - x[..., :-1]).abs().mean()
