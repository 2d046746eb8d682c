"""The frame of every CAM that takes its weights from class scores: Score-CAM and Ablation-CAM.

Such a method tries each channel of a layer on the model and weighs it by the class scores that it finds. It is a module of its own
that gives a `ChannelTrial` to `explain`. It needs no gradient, but at least one pass of the model for every 64 channels.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int64

from schemas.methods.cam.base import ChannelCamParams
from schemas.methods.facts import Prediction
from schemas.methods.precision import Precision
from workers.contract.arrays import Float32 as AnyFloat32
from workers.contract.inputs import Inputs
from workers.contract.map_place import MapPlace
from workers.contract.probe import Forward, Probe
from workers.contract.progress import Slice
from workers.methods.batch_sizes import batches
from workers.methods.cam import augmentation, cam_maps
from workers.methods.cam.cam_result import CamResult, places_of
from workers.methods.class_scores import ROUNDING, class_scores, target_predictions
from workers.methods.token_maps import to_map


@dataclass(frozen=True)
class TriedLayer:
    """A layer whose channels are tried, with what it answers to the input.

    Attributes:
        probe: the model.
        tensor: the input.
        path: the layer's path.
        activations: the layer's activations as the model has them.
        map: the activations as a map. It differs from `activations` if the layer has tokens.
        place: where the map lies over the input.
        output: the output that the classes belong to. None stands for the first output.
        precision: the number format of the passes.
    """

    probe: Probe
    tensor: Float32[np.ndarray, "1 H W C"]
    path: str
    activations: Float32[np.ndarray, "1 *place k"]
    map: Float32[np.ndarray, "1 h w k"]
    place: MapPlace
    output: str | None
    precision: Precision


@dataclass(frozen=True)
class ChannelTrial:
    """The three functions in which one such CAM differs from another.

    Attributes:
        worth_trying: takes activations (h, w, k) and says which channels can have a weight at all.
        forward: runs the model with each of b channels tried, and returns a pass of b rows.
        weights: takes the scores (b, n) of these rows for n classes and the scores (n,) of the plain input, and returns weights (n, b).
    """

    worth_trying: Callable[[Float32[np.ndarray, "h w k"]], Bool[np.ndarray, " k"]]
    forward: Callable[[TriedLayer, Int64[np.ndarray, " b"]], Forward]
    weights: Callable[[Float64[np.ndarray, "b n"], Float64[np.ndarray, " n"]], Float64[np.ndarray, "n b"]]


def explain(probe: Probe, inputs: Inputs, params: ChannelCamParams, trial: ChannelTrial) -> Generator[Slice, None, CamResult]:
    """Return the result of one job, and yield a slice after each pass of the model.

    Raises:
        NonFinite: activations or scores are not finite.
    """
    (result,) = yield from explain_by_each(probe, inputs, params, [trial])
    return result


def explain_by_each(
    probe: Probe, inputs: Inputs, params: ChannelCamParams, trials: Sequence[ChannelTrial]
) -> Generator[Slice, None, list[CamResult]]:
    """Return for each trial the result of one job. The trials share the passes that give the activations."""
    layers, variants = params.layer_paths(), augmentation.variants(params.augment)
    counts = [params.tries_at(layer, probe.description) for layer in layers]
    places = places_of(probe, layers, inputs.tensor)
    done, total = 0, total_tries(probe, params, len(trials))
    maps: list[list[list[AnyFloat32]]] = [[[] for _ in layers] for _ in trials]
    classes: tuple[Prediction, ...] = ()
    for variant in variants:
        tensor = variant.of(inputs.tensor)
        found = probe.forward(tensor, layers, scores=True, output=params.output, precision=params.precision)
        classes = classes or target_predictions(probe, found, params)
        yield Slice(done, total)
        for trial, own in zip(trials, maps, strict=True):
            for path, count, varied in zip(layers, counts, own, strict=True):
                activations = found.activations[path]
                as_map = to_map(activations, probe.description, path)
                layer = TriedLayer(probe, tensor, path, activations, as_map, places[path], params.output, params.precision)
                weights = yield from _weights_at(layer, trial, found, classes, params, done=done, total=total)
                done += count
                yield Slice(done, total)
                alike = np.repeat(layer.map, len(classes), axis=0)
                weighted = cam_maps.weighted(alike, weights, eigen_smooth=params.eigen_smooth)
                varied.append(variant.undone(weighted, places[path], tensor.shape[2]))
    return [
        CamResult(
            {layer: augmentation.averaged(varied) for layer, varied in zip(layers, own, strict=True)},
            places,
            classes,
            params.target_classes().listed,
            params.fuse,
        )
        for own in maps
    ]


def total_tries(probe: Probe, params: ChannelCamParams, trials: int) -> int:
    """Return how many channels are tried in all by so many trials, in all layers and variants of the input."""
    channels = sum(params.tries_at(layer, probe.description) for layer in params.layer_paths())
    return channels * len(augmentation.variants(params.augment)) * trials


def _weights_at(
    layer: TriedLayer,
    trial: ChannelTrial,
    found: Forward,
    classes: Sequence[Prediction],
    params: ChannelCamParams,
    *,
    done: int,
    total: int,
) -> Generator[Slice, None, Float32[np.ndarray, "n k"]]:
    """Try the channels of one layer, and return their weights for each class. A channel that is not tried has the weight 0."""
    channels = channels_to_try(layer.map[0], trial.worth_trying(layer.map[0]), params.max_channels)
    scores = np.empty((len(channels), len(classes)))
    for batch in batches(layer.probe, layer.tensor.shape[1:3], len(channels)):
        scores[batch] = class_scores(trial.forward(layer, channels[batch]), classes, "logit")
        yield Slice(done + batch.stop, total)
    plain = class_scores(found, classes, "logit")[0]
    weights = np.zeros((len(classes), layer.map.shape[-1]), np.float32)
    weights[:, channels] = weights_beyond_rounding(trial, scores, plain, largest=_largest_logit(found))
    return weights


def channels_to_try(
    activations: Float32[np.ndarray, "h w k"], worth_trying: Bool[np.ndarray, " k"], max_channels: int | None
) -> Int64[np.ndarray, " b"]:
    """Return the channels to try in the layer's order: those worth trying, at most the `max_channels` of highest variance over space.

    If channels have equal variance, the first ones are taken.
    """
    channels = np.flatnonzero(worth_trying)
    if max_channels is None or len(channels) <= max_channels:
        return channels
    variance = activations[..., channels].reshape(-1, len(channels)).var(axis=0, dtype=np.float64)
    return np.sort(channels[np.argsort(-variance, kind="stable")[:max_channels]])


def weights_beyond_rounding(
    trial: ChannelTrial, scores: Float64[np.ndarray, "b n"], plain: Float64[np.ndarray, " n"], largest: float
) -> Float64[np.ndarray, "n b"]:
    """Return the trial's weights. They are 0 for a class whose score changes only by rounding, because they would be noise.

    Args:
        scores: the score of each class with each channel tried.
        plain: the score of each class for the plain input.
        largest: the largest absolute logit of the plain input. Rounding is a share of it.
    """
    if not len(scores):
        return scores.T
    changes = np.ptp(np.concatenate([scores, plain[None]]), axis=0) > ROUNDING * np.maximum(largest, np.abs(scores).max(axis=0))
    return np.where(changes[:, None], trial.weights(scores, plain), 0)


def _largest_logit(found: Forward) -> float:
    if found.logits is None:
        raise ValueError("the pass gave no class scores")
    return float(np.abs(found.logits).max())
