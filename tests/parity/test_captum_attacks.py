"""Adversarial changes are compared with those of Captum's FGSM and PGD.

These differences are known:
- Captum's default loss is −log of what the model returns, so the twin ends in a softmax here. Ours is the cross entropy of the logits.
- With `norm="L2"`, Captum still takes steps along the sign of the gradient and only the projection is Euclidean. Our steps for `l2` go
  along the gradient itself, as in Madry et al. The test of `l2` gives Captum this step in place of the sign.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.parity.peers import captum_robust, torch
from tests.parity.twins import channels_first, channels_last, photos, twins

pytestmark = pytest.mark.filterwarnings("ignore:Input Tensor 0 did not already require gradients:UserWarning")  # Captum announces it
PIXEL = 127.5  # levels of a photo in a unit of the model's input
PHOTOS = np.clip(photos(), -1, 1)
SOME = 0.002  # share of values at which rounding may turn the sign of a gradient near 0


def peer() -> torch.nn.Module:
    return torch.nn.Sequential(twins().torch, torch.nn.Softmax(dim=1))


def answers() -> list[int]:
    logits = twins().probe.forward(PHOTOS, scores=True).logits
    assert logits is not None
    return logits.argmax(axis=1).tolist()


def targets() -> list[int]:
    return [(answer + 1) % 5 for answer in answers()]


def changed(**params: object) -> np.ndarray:
    """Return the changed inputs (n, H, W, C)."""
    saliency = {"attribution": "saliency", "smallest": False}
    rows = [twins().run("adversarial", PHOTOS[row : row + 1], **saliency, **_of_row(params, row))[0] for row in range(len(PHOTOS))]
    return np.stack([each.changed for each in rows])


def _of_row(params: dict[str, object], row: int) -> dict[str, object]:
    return {name: value[row] if isinstance(value, list) else value for name, value in params.items()}


def check_same(found: np.ndarray, expected: np.ndarray) -> None:
    assert (np.abs(found - expected) > 1e-5).mean() < SOME
    assert np.abs(expected - PHOTOS).max() > 1e-3


@pytest.mark.parametrize("targeted", [False, True])
def test_fgsm(targeted: bool) -> None:
    epsilon = 6.0
    attack = captum_robust.FGSM(peer(), lower_bound=-1, upper_bound=1)
    expected = attack.perturb(
        channels_first(PHOTOS), epsilon / PIXEL, torch.tensor(targets() if targeted else answers()), targeted=targeted
    )
    found = changed(attack="fgsm", epsilon=epsilon, **({"target_class": targets()} if targeted else {}))
    check_same(found, channels_last(expected.detach()))


@pytest.mark.parametrize("targeted", [False, True])
def test_pgd(targeted: bool) -> None:
    epsilon, size, steps = 6.0, 1.75, 8
    attack = captum_robust.PGD(peer(), lower_bound=-1, upper_bound=1)
    wanted = torch.tensor(targets() if targeted else answers())
    expected = attack.perturb(channels_first(PHOTOS), epsilon / PIXEL, size / PIXEL, steps, wanted, targeted=targeted, norm="Linf")
    given = {"target_class": targets()} if targeted else {}
    check_same(changed(attack="pgd", epsilon=epsilon, step_size=size, steps=steps, **given), channels_last(expected.detach()))


def test_pgd_within_a_euclidean_ball(monkeypatch: pytest.MonkeyPatch) -> None:
    """Captum steps along the sign of the gradient whatever the norm. Here its step is the one of Madry et al., as ours is."""
    epsilon, size, steps = 90.0, 30.0, 8
    with monkeypatch.context() as patched:
        patched.setattr(torch, "sign", lambda gradient: gradient / gradient.flatten(1).norm(dim=1)[:, None, None, None])
        attack = captum_robust.PGD(peer(), lower_bound=-1, upper_bound=1)
        wanted = torch.tensor(targets())
        expected = attack.perturb(channels_first(PHOTOS), epsilon / PIXEL, size / PIXEL, steps, wanted, targeted=True, norm="L2")
    found = changed(attack="pgd", norm="l2", epsilon=epsilon, step_size=size, steps=steps, target_class=targets())
    np.testing.assert_allclose(found, channels_last(expected.detach()), atol=1e-4)
    assert np.linalg.norm((found - PHOTOS).reshape(3, -1), axis=1).max() * PIXEL == pytest.approx(epsilon, rel=1e-3)
