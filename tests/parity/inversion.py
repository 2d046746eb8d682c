"""What feature inversion raises, written out in torch: no library has it as it is here."""

from __future__ import annotations

import torch


def likeness(activations: torch.Tensor, features: torch.Tensor, kind: str) -> torch.Tensor:
    """Minus the squared distance over the features' own square (Mahendran and Vedaldi, arXiv:1412.0035), or the product over it times
    the cosine, which counts as 0.1 at least (lucid's caricatures): ()."""
    a, f = activations.flatten(), features.flatten()
    if kind == "l2":
        return -(a - f).square().sum() / f.square().sum()
    return a @ f / (f @ f) * torch.cosine_similarity(a, f, dim=0).clamp(min=0.1)


def total_variation(x: torch.Tensor) -> torch.Tensor:
    """Mean absolute difference of neighbours, below and beside: ()."""
    return (x[:, :, 1:] - x[:, :, :-1]).abs().mean() + (x[..., 1:] - x[..., :-1]).abs().mean()
