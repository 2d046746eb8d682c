"""Layer-wise relevance propagation compared with Zennit, rule by rule and composite by composite, on the twin networks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from tests.parity.peers import torch, zennit_canonizers, zennit_composites, zennit_rules, zennit_types
from tests.parity.twins import CLASSES, TOLERANCE, channels_first, channels_last, difference, photos, twins

# Relevances are quotients, so rounding is larger than for gradients.
LOOSE = 10 * TOLERANCE
RULES = {
    "epsilon": lambda: zennit_rules.Epsilon(1e-6),
    "gamma": lambda: zennit_rules.Gamma(0.25),
    "alpha_beta": lambda: zennit_rules.AlphaBeta(2, 1),
    "z_plus": zennit_rules.ZPlus,
    "flat": lambda: zennit_rules.Flat(zero_params="bias"),
    "w_square": lambda: zennit_rules.WSquare(zero_params="bias"),
    "z_box": lambda: zennit_rules.ZBox(-1.0, 1.0),
}


@contextmanager
def exactly_merged(composite: Any) -> Iterator[Any]:
    """Yield the twin under a composite. Zennit 0.5 leaves the ε in the batch norm that it has merged, which changes the model by 5e-4."""
    model = twins().torch
    epsilon = model.norm2.eps
    with composite.context(model) as modified:
        model.norm2.eps = 0
        yield modified
    model.norm2.eps = epsilon


def by_zennit(composite: Any) -> np.ndarray:
    """Return the relevance of the photos for the classes. It starts with the logit, and batch norm is merged."""
    given = channels_first(photos()).requires_grad_()
    with exactly_merged(composite) as modified:
        logits = modified(given)
        seeds = torch.zeros_like(logits)
        for row, index in enumerate(CLASSES):
            seeds[row, index] = logits[row, index].detach()
        (relevances,) = torch.autograd.grad(logits, given, seeds)
    return channels_last(relevances)


def merged() -> list[Any]:
    return [zennit_canonizers.SequentialMergeBatchNorm()]


def by_convscope(**params: Any) -> np.ndarray:
    return np.concatenate([found.attribution.values for found in twins().run("lrp", photos(), **params)])


@pytest.mark.parametrize(
    ("name", "composite"),
    [
        ("epsilon_plus_flat", lambda: zennit_composites.EpsilonPlusFlat(canonizers=merged())),
        ("epsilon_gamma_box", lambda: zennit_composites.EpsilonGammaBox(low=-1.0, high=1.0, canonizers=merged())),
        ("epsilon_alpha2_beta1", lambda: zennit_composites.EpsilonAlpha2Beta1(canonizers=merged())),
    ],
)
def test_composites(name: str, composite: Any) -> None:
    assert difference(by_convscope(composite=name), by_zennit(composite())) < LOOSE


@pytest.mark.parametrize("rule", [name for name in RULES if name != "z_box"])
def test_a_rule_for_every_layer(rule: str) -> None:
    kinds = [
        (zennit_types.Activation, zennit_rules.Pass()),
        (zennit_types.AvgPool, zennit_rules.Norm()),
        (zennit_types.BatchNorm, zennit_rules.Pass()),
        (zennit_types.Linear, RULES[rule]()),
    ]
    expected = by_zennit(zennit_composites.LayerMapComposite(layer_map=kinds, canonizers=merged()))
    found = by_convscope(convolution_rule=rule, dense_rule=rule, first_rule="as_others")
    assert difference(found, expected) < LOOSE


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_for_the_first_layer(rule: str) -> None:
    kinds = [
        (zennit_types.Activation, zennit_rules.Pass()),
        (zennit_types.AvgPool, zennit_rules.Norm()),
        (zennit_types.BatchNorm, zennit_rules.Pass()),
        (zennit_types.Convolution, zennit_rules.ZPlus()),
        (zennit_types.Linear, zennit_rules.Epsilon()),
    ]
    first = [(zennit_types.Linear, RULES[rule]())]
    expected = by_zennit(zennit_composites.SpecialFirstLayerMapComposite(layer_map=kinds, first_map=first, canonizers=merged()))
    assert difference(by_convscope(first_rule=rule), expected) < LOOSE


@pytest.mark.parametrize("path", ["conv1", "relu2"])
def test_excitation_backprop(path: str) -> None:
    """The activations are those after a ReLU, as the method assumes. Biases do not count."""
    seen: list[Any] = []
    given = channels_first(photos()).requires_grad_()
    with exactly_merged(zennit_composites.ExcitationBackprop(zero_params="bias", canonizers=merged())) as modified:
        handle = modified.layer(path).register_forward_hook(lambda _module, _inputs, output: seen.append(output))
        logits = modified(given)
        (excitations,) = torch.autograd.grad(logits[range(len(CLASSES)), CLASSES].sum(), seen[0])
        handle.remove()
    found = twins().run("excitation_backprop", photos(), layer=path, contrastive=False)
    assert difference(np.concatenate([one.maps for one in found]), channels_last(excitations).sum(axis=-1)) < LOOSE
