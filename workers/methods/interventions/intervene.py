"""Change activations of a layer, and let the rest of the model compute with them.

Sources: Bau et al., arXiv:2009.05041 (ablation); Geiger et al., arXiv:2106.02997 (interchange).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32

from rendering.photo import Photo
from schemas.errors import InvalidParameters
from schemas.methods.interventions.intervene import Intervene, InterventionAction
from schemas.models import ModelDescription, PublishedModel
from workers.contract.inputs import Inputs
from workers.contract.probe import Forward, Probe
from workers.contract.progress import Slice
from workers.methods.interventions import intervention_pictures
from workers.methods.interventions.intervention_result import InterventionResult
from workers.methods.map_places import photo_under
from workers.methods.regions import centres
from workers.methods.token_maps import to_map

draw = intervention_pictures.draw


def changed_activations(
    own: Float32[np.ndarray, "*place k"],
    chosen: Bool[np.ndarray, "*place k"],
    action: InterventionAction,
    *,
    factor: float = 1.0,
    other: Float32[np.ndarray, "*place k"] | None = None,
) -> Float32[np.ndarray, "*place k"]:
    """Return activations that are changed where `chosen` is true.

    Args:
        own: the activations of one photo: (h, w, k), tokens (t, k), or (k,).
        chosen: which of them are changed.
        action: what is done to them. `mean` takes the mean of the channel over all positions, not only over those chosen.
        factor: for `scale`, what they are multiplied by.
        other: for `swap`, the activations of the other photo.
    """
    if action == "scale":
        new = own * np.float32(factor)
    elif action == "zero":
        new = np.zeros_like(own)
    elif action == "mean":
        new = np.broadcast_to(own.mean(axis=tuple(range(own.ndim - 1)), dtype=np.float64).astype(np.float32), own.shape)
    elif other is None:
        raise ValueError("swap needs the activations of another photo")
    else:
        new = other
    return np.where(chosen, new, own)


def chosen_places(
    own: Float32[np.ndarray, "*place k"], photo: Photo | None, params: Intervene, model: ModelDescription
) -> Bool[np.ndarray, "*place k"]:
    """Return which activations the parameters choose: the channels, at the positions whose centres lie in the box.

    If no centre lies in the box, it is the position nearest to the middle of the box. Class tokens lie in no box.

    Args:
        own: the activations of the photo.
        photo: the photo as it lies under the layer's map. It is needed if there is a box.
        params: resolved parameters.
        model: the description of the model.
    """
    channels = np.zeros(own.shape[-1], bool)
    channels[list(params.channels) if params.channels is not None else slice(None)] = True
    if params.box is None or photo is None:
        return np.broadcast_to(channels, own.shape)
    grid = model.layer_at(params.layer or "").token_grid
    size = (own.shape[0], own.shape[1]) if grid is None else (grid.height, grid.width)
    top, left, height, width = params.box
    rows, columns = centres(photo.placement, size)
    inside = np.outer((rows >= top) & (rows < top + height), (columns >= left) & (columns < left + width))
    if not inside.any():
        _check_seen(params.box, photo)
        inside[np.abs(rows - (top + height / 2)).argmin(), np.abs(columns - (left + width / 2)).argmin()] = True
    if grid is None:
        return inside[..., None] & channels
    tokens = np.zeros(own.shape[0], bool)
    tokens[grid.before : grid.before + inside.size] = inside.ravel()
    return tokens[:, None] & channels


def _check_seen(box: tuple[float, float, float, float], photo: Photo) -> None:
    """Raise `InvalidParameters` if the middle of a box does not lie on the part of the photo that the layer sees."""
    source = photo.placement.source
    for axis in (0, 1):
        middle = box[axis] + box[axis + 2] / 2
        if not source[axis] <= middle <= source[axis] + source[axis + 2]:
            top, left, height, width = (round(side, 1) for side in source)
            raise InvalidParameters(
                f"The model sees nothing of the box {list(box)}. It sees the part [{top}, {left}, {height}, {width}] of the photo.",
                pointer="/params/box",
                allowed=f"a box within [{top}, {left}, {height}, {width}]",
                got=str(list(box)),
            )


@dataclass(frozen=True)
class _Scores:
    """Logits and probabilities of one pass, each (classes,)."""

    logits: Float32[np.ndarray, " c"]
    probabilities: Float32[np.ndarray, " c"]

    @classmethod
    def of(cls, found: Forward) -> _Scores:
        if found.logits is None or found.probabilities is None:
            raise ValueError("the pass gave no class scores")
        return cls(found.logits[0], found.probabilities[0])


def run(probe: Probe, inputs: Inputs, params: Intervene) -> Generator[Slice, None, InterventionResult]:
    """Run the model as it is, then with the changed activations.

    Raises:
        InvalidParameters: the model sees nothing of the box, or the layers of the two photos differ in size.
        NoGradient: the output is not computed from the layer.
    """
    path, later = params.layer or "", [] if params.later is None else [params.later]
    steps = 3 if params.action == "swap" else 2
    before = probe.forward(inputs.tensor, [path, *later], scores=True, output=params.output, precision=params.precision)
    own = before.activations[path][0]
    yield Slice(1, steps)
    other: Float32[np.ndarray, "*place k"] | None = None
    if params.action == "swap":
        other = _of_other_photo(probe, inputs, params, own)
        yield Slice(2, steps)
    size = (inputs.tensor.shape[1], inputs.tensor.shape[2])
    photo = None if params.box is None else photo_under(_photo(inputs), probe.map_place(path, size))
    chosen = chosen_places(own, photo, params, probe.description)
    changed = changed_activations(own, chosen, params.action, factor=params.factor, other=other)
    after = probe.scores_from(inputs.tensor, path, changed[None], layers=later, output=params.output, precision=params.precision)
    yield Slice(steps, steps)
    scores = [_Scores.of(each) for each in (before, after)]
    return InterventionResult(
        logits=np.stack([each.logits for each in scores]),
        probabilities=np.stack([each.probabilities for each in scores]),
        own=own,
        changed=changed,
        chosen=chosen,
        later=tuple(_as_map(each, probe.published, params.later) for each in (before, after)) if later else None,
        published=probe.published,
    )


def _of_other_photo(
    probe: Probe, inputs: Inputs, params: Intervene, own: Float32[np.ndarray, "*place k"]
) -> Float32[np.ndarray, "*place k"]:
    """Return the layer's output for the other photo, or raise `InvalidParameters` if it has not the shape of `own`."""
    path = params.layer or ""
    if inputs.target_image is None:
        raise ValueError("the parameters are not resolved: there is no other photo")
    found = probe.forward(inputs.target_image.tensor[None], [path], precision=params.precision).activations[path][0]
    if found.shape != own.shape:
        raise InvalidParameters(
            f"The output of layer '{path}' has the shape {own.shape} for the photo and {found.shape} for the other photo. Give a photo of "
            "the same size.",
            pointer="/params/other_image",
            allowed=str(own.shape),
            got=str(found.shape),
        )
    return found


def _photo(inputs: Inputs) -> Photo:
    if not inputs.photos:
        raise ValueError("the job has no photo")
    return inputs.photos[0]


def _as_map(found: Forward, published: PublishedModel, path: str | None) -> Float32[np.ndarray, "*place k"]:
    """Return the later layer's output, and tokens as the map that they form."""
    values = found.activations[path or ""]
    grid = published.description.layer_at(path or "").token_grid
    return to_map(values, published.description, path or "")[0] if grid is not None else values[0]
