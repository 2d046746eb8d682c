"""What class activation maps share that try each channel of a layer on the model: which channels, their scores, the maps."""

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
from workers.contract.probe import Forward, Probe
from workers.contract.progress import Slice
from workers.methods.cam import augmentation, cam_maps, class_evidence
from workers.methods.class_scores import class_scores, classes_of
from workers.methods.perturbation import masked_scores
from workers.methods.token_maps import as_map


@dataclass(frozen=True)
class Seen:
    """What a layer answers to an input, and that as a map; the two differ where the layer has tokens."""

    probe: Probe
    tensor: Float32[np.ndarray, "1 H W C"]
    layer: str
    activations: Float32[np.ndarray, "1 *place k"]
    map: Float32[np.ndarray, "1 h w k"]
    output: str | None
    precision: Precision


@dataclass(frozen=True)
class Trial:
    """All in which one such CAM differs from another.

    worth: activations → the channels that can have a weight at all.
    scored: the class scores with each of b channels tried, (b, classes).
    weights: those scores of n classes, and the input's own → weights.
    """

    worth: Callable[[Float32[np.ndarray, "h w k"]], Bool[np.ndarray, " k"]]
    scored: Callable[[Seen, Int64[np.ndarray, " b"]], Forward]
    weights: Callable[[Float64[np.ndarray, "b n"], Float64[np.ndarray, " n"]], Float64[np.ndarray, "n b"]]


def explain(probe: Probe, inputs: Inputs, params: ChannelCamParams, trial: Trial) -> Generator[Slice, None, class_evidence.Explanation]:
    """Of one photo. A slice is one pass of the model over as many channels as do not hold the device for long."""
    (explanation,) = yield from explain_alike(probe, inputs, params, [trial])
    return explanation


def explain_alike(
    probe: Probe, inputs: Inputs, params: ChannelCamParams, trials: Sequence[Trial]
) -> Generator[Slice, None, list[class_evidence.Explanation]]:
    """Of one photo, an explanation by each of the trials."""
    layers, variants = params.layer_paths(), augmentation.variants(params.augment)
    counts = [params.tries_at(layer, probe.description) for layer in layers]
    done, total = 0, sum(counts) * len(variants) * len(trials)
    maps: list[list[list[AnyFloat32]]] = [[[] for _ in layers] for _ in trials]
    classes: tuple[Prediction, ...] = ()
    for variant in variants:
        tensor = variant.of(inputs.tensor)
        found = probe.forward(tensor, layers, scores=True, output=params.output, precision=params.precision)
        classes = classes or classes_of(probe, found, params)
        for trial, own in zip(trials, maps, strict=True):
            for layer, count, varied in zip(layers, counts, own, strict=True):
                activations = found.activations[layer]
                looked = as_map(activations, probe.description, layer)
                seen = Seen(probe, tensor, layer, activations, looked, params.output, params.precision)
                channels = tried(seen.map[0], trial.worth(seen.map[0]), params.max_channels)
                scores = np.empty((len(channels), len(classes)))
                for part in masked_scores.parts(probe.description, tensor.shape[1:3], len(channels)):
                    scores[part] = class_scores(trial.scored(seen, channels[part]), classes, "logit", params.sign)
                    yield Slice(done + part.stop, total)
                done += count
                yield Slice(done, total)
                weights = np.zeros((len(classes), seen.map.shape[-1]), np.float32)
                weights[:, channels] = weighed(
                    trial, scores, class_scores(found, classes, "logit", params.sign)[0], largest=_largest(found)
                )
                alike = np.repeat(seen.map, len(classes), axis=0)
                varied.append(variant.undone(cam_maps.weighted(alike, weights, eigen_smooth=params.eigen_smooth)))
    return [
        class_evidence.Explanation(
            {layer: augmentation.averaged(varied) for layer, varied in zip(layers, own, strict=True)},
            classes,
            params.target_classes().listed,
            params.fuse,
        )
        for own in maps
    ]


def tried(activations: Float32[np.ndarray, "h w k"], worth: Bool[np.ndarray, " k"], max_channels: int | None) -> Int64[np.ndarray, " b"]:
    """Of the channels worth it the `max_channels` of highest variance over space, in the layer's order; of equals the first."""
    channels = np.flatnonzero(worth)
    if max_channels is None or len(channels) <= max_channels:
        return channels
    variance = activations[..., channels].reshape(-1, len(channels)).var(axis=0, dtype=np.float64)
    return np.sort(channels[np.argsort(-variance, kind="stable")[:max_channels]])


def weighed(
    trial: Trial, scores: Float64[np.ndarray, "b n"], whole: Float64[np.ndarray, " n"], largest: float
) -> Float64[np.ndarray, "n b"]:
    """The trial's weights; 0 for a class whose score no channel moves but for rounding, for weights of such differences are noise.

    Args:
        whole: the scores of the input itself.
        largest: its largest score of any class, which rounding is a share of.
    """
    if not len(scores):
        return scores.T
    moved = np.ptp(np.concatenate([scores, whole[None]]), axis=0) > masked_scores.ROUNDING * np.maximum(largest, np.abs(scores).max(axis=0))
    return np.where(moved[:, None], trial.weights(scores, whole), 0)


def _largest(found: Forward) -> float:
    if found.logits is None:
        raise ValueError("the pass gave no class scores")
    return float(np.abs(found.logits).max())
