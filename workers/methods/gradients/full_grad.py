"""FullGrad (Srinivas and Fleuret, Full-Gradient Representation for Neural Network Visualization, arXiv:1905.00780)."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float32, Float64

from rendering.photo import Photo
from schemas.methods.gradients.full_grad import FullGrad, FullGradFacts
from workers.contract.artifacts import Output
from workers.contract.full_gradients import FullGradients
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.contract.probe import Probe
from workers.methods.class_scores import predictions
from workers.methods.gradients import gradient_pictures
from workers.methods.gradients.input_attribution import InputAttribution
from workers.methods.gradients.integrated_gradients import completeness_errors
from workers.methods.map_places import over_input
from workers.methods.sheets import class_overlay
from workers.methods.token_maps import to_map

PartScaling = Literal["layer", "channel"]
EPSILON = np.float32(1e-6)  # as in the authors' code


@dataclass(frozen=True)
class FullGradAttribution:
    """The result of one job.

    Attributes:
        attribution: input · gradient, and the maps of all parts.
        from_input, from_biases, without_place: for each class the sums of these parts of its score.
        layers: the number of layers whose biases are in the maps.
    """

    attribution: InputAttribution
    from_input: Float64[np.ndarray, " n"]
    from_biases: Float64[np.ndarray, " n"]
    without_place: Float64[np.ndarray, " n"]
    layers: int

    @property
    def maps(self) -> Float32[np.ndarray, "n H W"]:
        """The maps of all parts."""
        return self.attribution.maps

    @property
    def errors(self) -> Float64[np.ndarray, " n"]:
        """For each class |sum of the parts − score| as a share of |score|, or unscaled if the score is 0."""
        return completeness_errors(self.from_input + self.from_biases, np.array([scored.logit for scored in self.attribution.classes]))


def scaled_sum(parts: Float32[np.ndarray, "h w k"], scaling: PartScaling) -> Float32[np.ndarray, "h w"]:
    """Return the sum over the channels of |parts|, scaled so that they go from 0 to 1 in the layer, or in each channel."""
    axes = (0, 1, 2) if scaling == "layer" else (0, 1)
    sizes = np.abs(parts)
    sizes = sizes - sizes.min(axis=axes, keepdims=True)
    return (sizes / (sizes.max(axis=axes, keepdims=True) + EPSILON)).sum(axis=-1)


def full_grad(
    at_input: Float32[np.ndarray, "H W C"], layers: Iterable[tuple[Float32[np.ndarray, "_ _ _"], MapPlace]], scaling: PartScaling
) -> Float32[np.ndarray, "H W"]:
    """Return the map of all parts of a score at the size of the input (equation 7 of the paper).

    Args:
        at_input: input · gradient.
        layers: for each layer bias · gradient (h, w, k), and where the layer's map lies over the input.
        scaling: whether parts are scaled for a layer or for each channel.
    """
    size = (at_input.shape[0], at_input.shape[1])
    total = scaled_sum(at_input, scaling)
    for parts, place in layers:
        total = total + over_input(scaled_sum(parts, scaling), place, size)
    return total


def batch_key(params: FullGrad) -> Hashable:
    """Return the batch key: jobs that differ only in their classes or their drawing run as one batch."""
    return params.output, params.scaling


def run(probe: Probe, inputs: Inputs, params: Sequence[FullGrad]) -> list[FullGradAttribution]:
    """Return the parts of the score of each job's classes. A pass takes one row, because it returns values of every layer.

    Raises:
        UnsuitableLayer: the bias of a layer is not known.
        NonFinite: gradients or scores are not finite.
    """
    return [_of_job(probe, inputs.tensor[row : row + 1], job) for row, job in enumerate(params)]


def draw(result: FullGradAttribution, photo: Photo, params: FullGrad) -> Output:
    """Return the output of a map without a sign, with the parts of each score."""
    overlay = class_overlay(result.attribution.classes, photo, **gradient_pictures.heat_options(params, params.colormap))
    return gradient_pictures.output_of(
        result.attribution,
        photo,
        overlay,
        None,
        FullGradFacts,
        from_input=tuple(result.from_input.tolist()),
        from_biases=tuple(result.from_biases.tolist()),
        without_place=tuple(result.without_place.tolist()),
        completeness_error=tuple(result.errors.tolist()),
        biased_layers=result.layers,
    )


def _of_job(probe: Probe, tensor: Float32[np.ndarray, "1 H W C"], params: FullGrad) -> FullGradAttribution:
    wanted = params.target_classes()
    size, values, maps, classes, sums, count = (tensor.shape[1], tensor.shape[2]), [], [], [], [], 0
    for class_index in wanted.indices:
        found = probe.full_gradients(tensor, np.array([class_index], np.int32), output=params.output)
        classes += predictions(probe.published, found.class_indices, found.logits, found.probabilities, params.output)
        placed = _placed(probe, found, size)
        own = found.gradients[0] * tensor[0]
        values.append(own)
        maps.append(full_grad(own, placed.values(), params.scaling))
        biases = {key: float(parts.sum(dtype=np.float64)) for key, parts in found.biases.items()}
        rest = float(found.rest[0])
        sums.append((own.sum(dtype=np.float64), sum(biases.values()) + rest, sum(biases[key] for key in biases.keys() - placed) + rest))
        count = len(placed)
    attribution = InputAttribution(np.stack(values), np.stack(maps), tuple(classes), wanted.listed, probe.description.preprocessing)
    return FullGradAttribution(attribution, *np.array(sums, np.float64).reshape(-1, 3).T, layers=count)


def _placed(probe: Probe, found: FullGradients, size: tuple[int, int]) -> dict[str, tuple[Float32[np.ndarray, "_ _ _"], MapPlace]]:
    """Return the parts of each layer that has a map of more than one position, and its place over the input."""
    placed: dict[str, tuple[Float32[np.ndarray, "_ _ _"], MapPlace]] = {}
    for key, parts in found.biases.items():
        path = key.partition("//")[0].partition(":")[0]
        known = next((layer for layer in probe.description.layers if layer.path == path), None)
        is_map = parts.ndim == 4 or (known is not None and known.token_grid is not None)
        maps = to_map(parts, probe.description, path)[0] if is_map else parts[0]
        if is_map and maps.shape[0] * maps.shape[1] > 1:
            placed[key] = maps, probe.map_place(path, size)
    return placed
