"""The engine's passes beside torch's: activations, scores and gradients of the same weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.parity.twins import CLASSES, LAYERS, TOLERANCE, channels_first, channels_last, difference, photos, twins


def looked_at(path: str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return, by autograd, a layer's activations, ∂logit/∂activations of each photo's class, and the logits."""
    model, kept = twins().torch, []
    handle = model.layer(path).register_forward_hook(lambda module, given, output: kept.append(output))
    logits = model(channels_first(photos()))
    handle.remove()
    score = logits[range(len(CLASSES)), CLASSES].sum()
    return kept[0], torch.autograd.grad(score, kept[0])[0], logits


@pytest.mark.parametrize("path", LAYERS)
def test_activations_gradients_and_scores(path: str) -> None:
    activations, gradients, logits = looked_at(path)
    found = twins().probe.gradients(photos(), path, np.array(CLASSES, np.int32))
    assert difference(found.activations, channels_last(activations)) < TOLERANCE
    assert difference(found.gradients, channels_last(gradients)) < TOLERANCE
    assert difference(found.logits, logits.detach().numpy()) < TOLERANCE
    assert difference(found.probabilities, logits.softmax(dim=1).detach().numpy()) < TOLERANCE
    alone = twins().probe.forward(photos(), (path,), scores=True)
    assert alone.logits is not None
    assert difference(alone.activations[path], channels_last(activations)) < TOLERANCE
    assert difference(alone.logits, logits.detach().numpy()) < TOLERANCE


@pytest.mark.parametrize("score", ["logit", "probability"])
def test_gradients_at_the_input(score: str) -> None:
    given = channels_first(photos()).requires_grad_()
    logits = twins().torch(given)
    scores = logits if score == "logit" else logits.softmax(dim=1)
    (expected,) = torch.autograd.grad(scores[range(len(CLASSES)), CLASSES].sum(), given)
    found = twins().probe.input_gradients(photos(), np.array(CLASSES, np.int32), score=score)
    assert difference(found.gradients, channels_last(expected)) < TOLERANCE


@pytest.mark.parametrize("path", LAYERS)
def test_scores_from_changed_activations(path: str) -> None:
    activations, _, _ = looked_at(path)
    changed = activations.detach() * torch.linspace(-1, 2, activations.shape[-1])
    model = twins().torch
    handle = model.layer(path).register_forward_hook(lambda module, given, output: changed)
    expected = model(channels_first(photos())).detach().numpy()
    handle.remove()
    found = twins().probe.scores_from(photos(), path, np.ascontiguousarray(channels_last(changed)))
    assert found.logits is not None
    assert difference(found.logits, expected) < TOLERANCE
