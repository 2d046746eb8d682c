"""KPCA-CAM: kernels and components by hand, against whole decompositions, and layers that do not vary."""

from __future__ import annotations

import numpy as np
import pytest

from schemas.methods.cam.kpca_cam import Kernel, KpcaCam
from workers.methods.cam import cam_maps, kpca_cam

VECTORS = np.array([[1.0, 0], [0, 2], [-3, 0], [0, 0]])
KERNELS: tuple[Kernel, ...] = ("sigmoid", "rbf", "polynomial", "cosine")


def test_kernels_by_hand() -> None:
    assert kpca_cam.kernel_matrix(VECTORS, "polynomial", 0.5)[0].tolist() == [1.5**3, 1, (-0.5) ** 3, 1]
    np.testing.assert_allclose(kpca_cam.kernel_matrix(VECTORS, "rbf", 0.5)[0], np.exp([0, -2.5, -8, -0.5]))
    np.testing.assert_allclose(kpca_cam.kernel_matrix(VECTORS, "sigmoid", 0.5)[0], np.tanh([1.5, 1, -0.5, 1]))
    np.testing.assert_allclose(kpca_cam.kernel_matrix(VECTORS, "cosine", 0.5)[0], [1, 0, -1, 0])  # a zero has the cosine 0 with all


def test_a_component_by_hand() -> None:
    """The centred matrix of two alike and one opposite is [[.5, .5, −1], …]·(2/3)², whose one eigenvalue above 0 is 8/3."""
    signs = np.array([1.0, 1, -1])
    found = kpca_cam.first_component(np.outer(signs, signs))
    found *= np.sign(found[0])
    np.testing.assert_allclose(found, [2 / 3, 2 / 3, -4 / 3])
    assert (found**2).sum() == pytest.approx(8 / 3)


@pytest.mark.parametrize("kernel", KERNELS)
def test_both_solvers_agree(kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
    activations = np.random.default_rng(1).normal(size=(2, 5, 7, 4)).astype(np.float32)
    whole = kpca_cam.kernel_component(activations, kernel, None, 3136)
    monkeypatch.setattr(kpca_cam, "_DENSE", 1)
    iterated = kpca_cam.kernel_component(activations, kernel, None, 3136)
    np.testing.assert_allclose(iterated, whole, rtol=1e-5, atol=1e-6)
    assert np.ptp(whole, axis=(1, 2)).min() > 0.1


def test_a_weak_kernel_gives_the_map_of_eigen_cam() -> None:
    """tanh(γ·ab + 1) is tanh(1) + γ·(1 − tanh²(1))·ab for a small γ, so that the kernel is the product but for factors."""
    activations = np.random.default_rng(2).normal(size=(2, 5, 7, 4)).astype(np.float32)
    plain = cam_maps.principal(activations)
    bent = kpca_cam.kernel_component(activations, "sigmoid", 1e-6, 3136)
    scale = np.sqrt(1e-6 * (1 - np.tanh(1) ** 2))
    np.testing.assert_allclose(bent / scale, plain, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_map_rises_with_the_mean_over_the_channels(kernel: Kernel) -> None:
    activations = np.random.default_rng(3).uniform(size=(6, 3, 5, 4)).astype(np.float32)
    for values, found in zip(activations, kpca_cam.kernel_component(activations, kernel, None, 3136), strict=True):
        means = values.mean(axis=-1)
        assert (found * (means - means.mean())).sum() > 0


def test_blocks_are_means_with_smaller_ones_at_the_border() -> None:
    values = np.arange(15, dtype=np.float32).reshape(3, 5, 1)
    expected = [[(0 + 1 + 5 + 6) / 4, (2 + 3 + 7 + 8) / 4, (4 + 9) / 2], [10.5, 12.5, 14]]
    np.testing.assert_allclose(kpca_cam.block_means(values, 2)[..., 0], expected)
    found = kpca_cam.kernel_component(np.random.default_rng(4).normal(size=(1, 3, 5, 2)).astype(np.float32), "rbf", 1.0, 6)[0]
    assert found.shape == (3, 5)
    assert (found[:2, :2] == found[0, 0]).all()
    assert (found[2, 4], found[0, 4]) == (found[2, 4], found[1, 4])
    assert len(np.unique(found)) == 6


def test_layers_that_do_not_vary_or_are_not_finite() -> None:
    constant = np.full((1, 3, 4, 2), 5, np.float32)
    for kernel in KERNELS:
        assert not kpca_cam.kernel_component(constant, kernel, None, 3136).any()
    constant[0, 1, 1, 0] = np.nan
    assert np.isnan(kpca_cam.kernel_component(constant, "rbf", None, 3136)).all()


def test_jobs_with_other_kernels_are_no_batch() -> None:
    jobs = [KpcaCam(layer="c"), KpcaCam(layer="c", kernel="rbf"), KpcaCam(layer="c", gamma=1), KpcaCam(layer="c", max_positions=9)]
    assert len({kpca_cam.batch_key(job) for job in jobs}) == 4
