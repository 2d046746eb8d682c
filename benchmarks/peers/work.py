"""The pieces of work that are timed, and what all processes are given for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LAYERS = {"vgg16": "block5_conv3", "resnet50": "conv5_block3_out", "mobilenet_v2": "out_relu"}
"""The models, and the layer of each that Grad-CAM explains."""

SMALL = "mobilenet_v2"
FILTERS_LAYER, FILTERS_SIDE, FILTERS_STEPS = "block3_conv1", 128, 30
SCORE_CAM_LAYER, SCORE_CAM_CHANNELS = "block_10_project_BN", 96
ACTIVATIONS_LAYER = "block_3_expand_relu"  # 56 × 56 × 144


@dataclass(frozen=True)
class PeerWork:
    """One piece of work.

    Args:
        kind: what is computed. Each implementation is registered for one kind.
        model: the model that is looked into.
        images: the number of photos, or of channels for `filters`.
        amount: the number of steps, samples, masks or places, if the kind has one.
    """

    kind: str
    model: str
    images: int = 1
    amount: int = 0

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.model}:{self.images}:{self.amount}"

    @property
    def title(self) -> str:
        """The work in words."""
        return _TITLES[self.kind].format(amount=self.amount)


_TITLES = {
    "grad_cam": "Grad-CAM, the top class",
    "eight_jobs": "eight Grad-CAM jobs at once, each for its own class",
    "integrated_gradients": "integrated gradients, {amount} steps",
    "smooth_grad": "SmoothGrad, {amount} samples",
    "rise": "RISE, {amount} masks",
    "occlusion": "occlusion, {amount} places",
    "score_cam": f"Score-CAM, {SCORE_CAM_LAYER}, all {{amount}} channels",
    "filters": f"filters, {FILTERS_LAYER}, {FILTERS_SIDE} × {FILTERS_SIDE}, {{amount}} steps",
    "activations": f"activations of {ACTIVATIONS_LAYER}, as an array",
    "activations_png": f"activations of {ACTIVATIONS_LAYER}, as a PNG of all channels",
}


def works(models: Sequence[str], share: float = 1.0) -> list[PeerWork]:
    """Return all pieces of work. Grad-CAM is done with each of `models`, the rest with one model each.

    `share` of the usual steps, samples and masks are taken. Work on one photo comes first, so that an early end leaves most kinds done.
    """

    def some(usual: int) -> int:
        return max(2, round(share * usual))

    found = [PeerWork("grad_cam", model, images) for model in models for images in (1, 8)]
    found += [PeerWork("eight_jobs", model, 8) for model in models]
    found += [
        PeerWork("integrated_gradients", SMALL, 1, some(50)),
        PeerWork("smooth_grad", SMALL, 1, some(50)),
        PeerWork("rise", SMALL, 1, some(500)),
    ]
    found += [PeerWork("occlusion", SMALL, 1, 49), PeerWork("score_cam", SMALL, 1, SCORE_CAM_CHANNELS)]
    found += [PeerWork("activations", SMALL), PeerWork("activations_png", SMALL)]
    found.append(PeerWork("filters", "vgg16", 8, some(FILTERS_STEPS)))
    return sorted(found, key=lambda work: work.images)


@dataclass(frozen=True)
class Given:
    """The weights, photos and answers of the models, which convscope's process writes to `folder` and all others read."""

    folder: Path

    def weights(self, model: str) -> list[NDArray[np.float32]]:
        """Return the weights of a model in the order of Keras."""
        with np.load(self.folder / f"{model}.weights.npz") as stored:
            return [stored[f"arr_{number}"] for number in range(len(stored.files))]

    def photos(self, model: str, count: int) -> NDArray[np.float32]:
        """Return inputs (count, 224, 224, 3), as the model wants them."""
        return np.load(self.folder / f"{model}.photos.npy")[:count]

    def logits(self, model: str) -> NDArray[np.float32]:
        """Return the logits (8, classes) of the photos."""
        return np.load(self.folder / f"{model}.logits.npy")

    def classes(self, work: PeerWork) -> list[int]:
        """Return the class that is explained for each photo: the top one. For `eight_jobs` the classes all differ.

        Each photo then takes the class with the highest logit that no photo before it has taken. A class with a low logit may have a map
        that is zero everywhere, and such maps cannot be compared.
        """
        ranked = self.logits(work.model)[: work.images].argsort(axis=1)[:, ::-1]
        if work.kind != "eight_jobs":
            return ranked[:, 0].tolist()
        taken: list[int] = []
        for classes in ranked.tolist():
            taken.append(next(one for one in classes if one not in taken))
        return taken

    def write(self, model: str, weights: Sequence[NDArray[np.float32]], photos: NDArray[np.float32], logits: NDArray[np.float32]) -> None:
        """Write what the other processes read."""
        np.savez(self.folder / f"{model}.weights.npz", *weights)
        np.save(self.folder / f"{model}.photos.npy", photos)
        np.save(self.folder / f"{model}.logits.npy", logits)

    def check_twin(self, model: str, logits: NDArray[np.float32]) -> None:
        """Check that another framework's copy of a model answers as the model does, so that both do the same work.

        Raises:
            AssertionError: the answers differ.
        """
        expected = self.logits(model)[: len(logits)]
        np.testing.assert_allclose(logits, expected, rtol=0, atol=1e-3 * float(np.abs(expected).max()))
