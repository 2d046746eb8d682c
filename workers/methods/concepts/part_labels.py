"""The classes that a vector of activations speaks for, in models whose class scores depend only on a layer's mean."""

from __future__ import annotations

from collections.abc import Generator, Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.facts import Prediction
from workers.contract.inputs import Prepared
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.batch_sizes import batches
from workers.methods.inspection.photo_batches import forward_in_batches
from workers.methods.inspection.top_classes import top_predictions
from workers.methods.token_maps import from_map, to_map

_SAME = 0.01  # logits that differ by less than this share of the largest one are the same: models in float16 round by that much


def has_classes_of(probe: Probe, layer: str) -> bool:
    """Return whether the model has classes whose scores are computed from the layer."""
    description = probe.description
    return description.head_at(None).classes is not None and description.layer_at(layer).cam_able


def depends_on_the_mean_alone(probe: Probe, several: Sequence[Prepared], layer: str, precision: str) -> Generator[Slice, None, bool]:
    """Return whether every photo keeps its logits when the sum over all positions of the layer moves to one corner, and to the other.

    This is so for global average pooling with dense layers behind it, in whatever way the model is put together. Each slice is one batch
    of photos; the slices count the photos.
    """
    for batch in forward_in_batches(probe, several, [layer], scores=True, precision=precision):
        own = batch.found.activations[layer]
        maps = to_map(own, probe.description, layer)
        tensor = np.stack([each.tensor for each in batch.images])
        for corner in (0, -1):
            moved = np.zeros_like(maps)
            moved[:, corner, corner] = maps.sum(axis=(1, 2))
            found = probe.scores_from(tensor, layer, from_map(moved, own, probe.description, layer), precision=precision)
            if batch.found.logits is None or found.logits is None:
                raise ValueError(f"the pass through model '{probe.description.name}' gave no class scores")
            if np.abs(found.logits - batch.found.logits).max() > _SAME * np.abs(batch.found.logits).max():
                return False
        yield Slice(batch.first + len(batch.images), len(several))
    return True


def classes_of_vectors(
    probe: Probe, photo: Prepared, layer: str, vectors: Float32[np.ndarray, "p k"], *, top: int, precision: str
) -> list[tuple[Prediction, ...]]:
    """Return the top classes for each vector, if the layer had it at every position.

    Args:
        photo: any photo. What does not depend on the layer is computed from it.
    """
    height, width = photo.tensor.shape[:2]
    own = probe.forward(photo.tensor[None], [layer], precision=precision).activations[layer]
    shape = to_map(own, probe.description, layer).shape[1:3]
    found: list[tuple[Prediction, ...]] = []
    for rows in batches(probe, (height, width), len(vectors)):
        maps = np.broadcast_to(vectors[rows][:, None, None], (len(vectors[rows]), *shape, vectors.shape[1])).astype(np.float32)
        repeated = np.repeat(own, len(maps), axis=0)
        tensor = np.repeat(photo.tensor[None], len(maps), axis=0)
        scores = probe.scores_from(tensor, layer, from_map(maps, repeated, probe.description, layer), precision=precision)
        if scores.logits is None or scores.probabilities is None:
            raise ValueError(f"the pass through model '{probe.description.name}' gave no class scores")
        found += [top_predictions(probe.published, *each, top, None) for each in zip(scores.logits, scores.probabilities, strict=True)]
    return found
