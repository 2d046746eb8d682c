"""One vector for each photo of a set: the activations of a layer, pooled over its positions."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.sets.photo_features import FeaturePooling, PhotoFeaturesParams
from workers.contract.inputs import Prepared
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.inspection.photo_batches import forward_in_batches


def pooled(activations: Float32[np.ndarray, "n *place k"], pool: FeaturePooling) -> Float32[np.ndarray, "n d"]:
    """Return one vector for each example.

    Args:
        activations: maps (n, h, w, k), tokens (n, t, k), or vectors (n, k).
        pool: the mean or the maximum of each channel over the positions, or all values one after the other.
    """
    if pool == "none" or activations.ndim == 2:
        return activations.reshape(len(activations), -1)
    positions = activations.reshape(len(activations), -1, activations.shape[-1])
    return positions.mean(axis=1, dtype=np.float64).astype(np.float32) if pool == "mean" else positions.max(axis=1)


def photo_features(
    probe: Probe, several: Sequence[Prepared], params: PhotoFeaturesParams, before: int = 0, total: int | None = None
) -> Generator[Slice, None, Float32[np.ndarray, "n d"]]:
    """Return the vectors of some photos, in slices of one pass.

    Args:
        probe: the model.
        several: the photos.
        params: resolved parameters.
        before: the number of photos that the job has done before these.
        total: the number of all photos of the job. None stands for these alone.

    Raises:
        NonFinite: the activations of a photo are not finite. The error names the photo by its number.
    """
    layer = params.layer or ""
    found: list[Float32[np.ndarray, "b d"]] = []
    for each in forward_in_batches(probe, several, [layer], precision=params.precision):
        found.append(pooled(each.found.activations[layer], params.pool))
        yield Slice(before + each.first + len(each.images), len(several) if total is None else total)
    return np.concatenate(found)
