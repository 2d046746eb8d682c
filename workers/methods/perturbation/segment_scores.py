"""Show the model an image with some of its segments at a time, and lay the weights of the segments on the image."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int32

from rendering.photo import Photo
from schemas.methods.perturbation.base import PerturbationFacts
from schemas.methods.perturbation.segments import SegmentParams
from workers.contract.artifacts import Array, Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.progress import Slice
from workers.methods.baselines import baseline
from workers.methods.batch_sizes import batches
from workers.methods.perturbation import perturbation_pictures
from workers.methods.perturbation.perturbation_result import PerturbationResult
from workers.methods.perturbation.segmentation import segments_of, shown
from workers.methods.perturbation.watched_scores import WatchedScores, watch
from workers.methods.previews import input_photo


@dataclass(frozen=True)
class SampledScores:
    """Holds the answers of the model to an image with some of its segments covered.

    Attributes:
        segments: the number of each position's segment.
        visible: which of the s segments each of the b samples shows.
        scores: the watched score of each of n classes for each sample.
        watched: the classes with their scores for the whole image.
    """

    segments: Int32[np.ndarray, "H W"]
    visible: Bool[np.ndarray, "b s"]
    scores: Float64[np.ndarray, "b n"]
    watched: WatchedScores


@dataclass(frozen=True)
class SegmentResult(PerturbationResult):
    """The weights of the segments of one job, and the facts of the method. In the maps, each position has the weight of its segment.

    Attributes:
        segments: the number of each position's segment.
        weights: the weight of each segment for each class.
        facts: the facts that only this method has, by name.
    """

    segments: Int32[np.ndarray, "H W"]
    weights: Float32[np.ndarray, "n s"]
    facts: dict[str, Any]


def sampled_scores(
    probe: Probe, inputs: Inputs, params: SegmentParams, choose: Callable[[int], Bool[np.ndarray, "b s"]]
) -> Generator[Slice, None, SampledScores]:
    """Show the model each sample, and yield a slice after each pass.

    Args:
        choose: takes the number of segments s, and returns which of them each sample shows.
    """
    (image,) = inputs.tensor
    watched = watch(probe, inputs.tensor, params)
    preprocessing = probe.description.preprocessing
    segments = segments_of(input_photo(inputs, preprocessing).image, params)
    cover = baseline(params.baseline, image, preprocessing)
    visible = choose(int(segments.max()) + 1)
    scores = np.empty((len(visible), len(watched.classes)))
    yield Slice(0, len(visible))
    for batch in batches(probe, image.shape[:2], len(visible)):
        scores[batch] = watched.scores(probe, shown(image, cover, segments, visible[batch]))
        yield Slice(batch.stop, len(visible))
    return SampledScores(segments, visible, scores, watched)


def laid_out(sampled: SampledScores, weights: Float64[np.ndarray, "n s"], params: SegmentParams, **facts: Any) -> SegmentResult:
    """Return the result in which each position has the weight of its segment. It is 0 for a class whose score never changes."""
    weights = weights.astype(np.float32)
    weights[sampled.watched.unchanged(np.concatenate([sampled.scores, sampled.watched.whole[None]]))] = 0
    return SegmentResult(
        maps=weights[:, sampled.segments],
        classes=sampled.watched.classes,
        listed=params.target_classes().listed,
        masks=len(sampled.visible),
        segments=sampled.segments,
        weights=weights,
        facts={"segments": weights.shape[1], **facts},
    )


def draw(found: SegmentResult, photo: Photo, params: SegmentParams, facts: Callable[..., PerturbationFacts]) -> Output:
    """Return the output with red and blue segments. `facts` is the class of the method's facts."""
    output = perturbation_pictures.draw(found, photo, params, way="diverging", scaling="signed", alpha=params.alpha)
    arrays = (Array("segments", found.segments), Array("weights", found.weights if found.listed else found.weights[0]))
    return Output(
        artifacts=(*output.artifacts, *arrays),
        facts=facts(**dict(output.facts), **found.facts),
        warnings=output.warnings,
    )
