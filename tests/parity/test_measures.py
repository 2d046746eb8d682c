"""Measures of maps are compared with pytorch-grad-cam's and Captum's.

These differences are known:
- ROAD: pytorch-grad-cam adds noise with a standard deviation of 0.01 in the units of the input, and we 1 % of the standard deviation of
  the image's values. Both are the same for an input of unit variance. The test turns the noise off.
- Infidelity: Captum turns a map upside down if that fits better, and we do not. The maps of the test fit better as they are.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from schemas.methods.evaluation.measures import ROAD_SHARES
from tests.parity.peers import captum, captum_metrics, grad_cam_road, torch
from tests.parity.twins import CLASSES, TOLERANCE, channels_first, difference, finished, photos, twins
from workers.methods.evaluation import measure_map
from workers.methods.evaluation.measures.infidelity import infidelity, squares
from workers.methods.evaluation.measures.noisy_linear_imputation import impute

pytestmark = pytest.mark.filterwarnings("ignore:__array_wrap__ must accept:DeprecationWarning")  # the peer gives tensors to NumPy


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_noisy_linear_imputation(share: float) -> None:
    for number, photo in enumerate(photos()):
        missing = np.random.default_rng(number).random(photo.shape[:2]) < share
        image = torch.from_numpy(np.ascontiguousarray(photo.transpose(2, 0, 1)))
        expected = grad_cam_road.NoisyLinearImputer(noise=0)(image, torch.from_numpy((~missing).astype(np.float32)))
        found = finished(impute(photo, missing, np.random.default_rng(0), noise=0))
        assert difference(found, expected.numpy().transpose(1, 2, 0)) < TOLERANCE


def test_infidelity() -> None:
    """The sum of the map over the removed square is Σ of the map times a mask, so the mask is Captum's perturbation."""
    photo, target = photos()[:1], CLASSES[0]
    (found,) = twins().run("grad_x_input", photo)
    values = found.maps[0]
    removed = squares(values.shape, 40, np.random.default_rng(0))
    masks = np.zeros((40, *values.shape), np.float32)
    for mask, (top, left, side) in zip(masks, removed.tolist(), strict=True):
        mask[top : top + side, left : left + side] = 1
    covered = np.where(masks[..., None] > 0, 0, photo).astype(np.float32)

    def perturbed(_: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        everywhere = np.repeat(masks[:, None], 3, axis=1) / 3  # the mask counts once for the three channels
        return torch.from_numpy(everywhere), channels_first(covered)

    attributions = torch.from_numpy(np.repeat(values[None, None], 3, axis=1))
    expected = captum_metrics.infidelity(
        twins().torch, perturbed, channels_first(photo), attributions, target=target, n_perturb_samples=40, normalize=True
    )
    with torch.no_grad():
        scores = twins().torch(channels_first(np.concatenate([photo, covered])))[:, target].numpy().astype(np.float64)
    ours, scale = infidelity((masks * values).sum(axis=(1, 2), dtype=np.float64), scores[0] - scores[1:])
    assert scale > 0
    assert ours == pytest.approx(expected.item(), rel=1e-4)


def test_road_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The peer takes percentiles by interpolation, so 10 % and 90 % of the 234 pixels are one pixel more or less there."""
    monkeypatch.setattr(measure_map, "impute", partial(impute, noise=0))
    photo, target = photos()[:1], CLASSES[0]
    (found,) = twins().run("map_measures", photo, attribution="grad_x_input", measures=["road"], score="logit")
    curves = found.found["road"].curves
    imputer = grad_cam_road.NoisyLinearImputer(noise=0)
    for row, remove in enumerate((grad_cam_road.RemoveMostRelevantFirst, grad_cam_road.RemoveLeastRelevantFirst)):
        for place in range(1, 8):
            peer = grad_cam_road.PerturbationConfidenceMetric(remove(100 - round(100 * ROAD_SHARES[place]), imputer))
            expected = peer(
                channels_first(photo), found.tested.values[None], [lambda logits: logits[target]], twins().torch, return_diff=False
            )
            assert curves[row, place] == pytest.approx(float(expected[0]), rel=1e-4, abs=1e-4), (row, place)


def test_max_sensitivity() -> None:
    photo, target, radius, count, seed = photos()[:1], CLASSES[0], 0.02, 6, 9
    given = {"measures": ["max_sensitivity"], "radius": radius, "disturbances": count, "seed": seed}
    (found,) = twins().run("map_measures", photo, attribution="grad_x_input", **given)
    rng = np.random.default_rng((seed, 4))
    noise = np.stack([rng.uniform(-1, 1, photo[0].shape) * radius * 2 for _ in range(count)]).astype(np.float32)

    def explained(inputs: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        attributions = captum.InputXGradient(twins().torch).attribute(inputs[0].requires_grad_(), target=target)
        return (attributions.sum(dim=1).detach(),)

    def disturbed(inputs: tuple[torch.Tensor, ...], _: float) -> tuple[torch.Tensor, ...]:
        return (inputs[0].detach() + channels_first(noise),)

    expected = captum_metrics.sensitivity_max(explained, channels_first(photo), disturbed, radius, n_perturb_samples=count)
    assert found.found["max_sensitivity"].value == pytest.approx(expected.item(), rel=1e-4)
