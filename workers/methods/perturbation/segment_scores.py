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
from workers.methods.perturbation.map_noise import Agreement, agreements, noise_options, noise_warnings
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
        agreement: for each class the correlation of the weights of one half of the samples with those of the other half.
        facts: the facts that only this method has, by name.
    """

    segments: Int32[np.ndarray, "H W"]
    weights: Float32[np.ndarray, "n s"]
    agreement: Agreement
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


def laid_out(
    sampled: SampledScores,
    weights: Float64[np.ndarray, "n s"],
    halves: tuple[Float64[np.ndarray, "n s"], Float64[np.ndarray, "n s"]] | None,
    params: SegmentParams,
    **facts: Any,
) -> SegmentResult:
    """Return the result in which each position has the weight of its segment.

    The weights of a class whose score never changes are 0, and its agreement is None.

    Args:
        sampled: the scores of the samples.
        weights: the weight of each segment for each class.
        halves: the same weights, each from one half of the samples alone. None means that the weights have no sampling error.
        params: the parameters of the method.
        facts: the facts that only this method has, by name.
    """
    unchanged = sampled.watched.unchanged(np.concatenate([sampled.scores, sampled.watched.whole[None]]))
    weights = weights.astype(np.float32)
    weights[unchanged] = 0
    agreement = (None,) * len(weights)
    if halves is not None:
        agreement = agreements(*(np.where(unchanged[:, None], 0, half) for half in halves))
    return SegmentResult(
        maps=weights[:, sampled.segments],
        classes=sampled.watched.classes,
        listed=params.target_classes().listed,
        masks=len(sampled.visible),
        segments=sampled.segments,
        weights=weights,
        agreement=agreement,
        facts={"segments": weights.shape[1], **facts},
    )


def draw(found: SegmentResult, photo: Photo, params: SegmentParams, facts: Callable[..., PerturbationFacts]) -> Output:
    """Return the output with red and blue segments, and lines between them. `facts` is the class of the method's facts."""
    how = {"way": "diverging", "scaling": "signed", "alpha": params.alpha, "borders": params.borders}
    output = perturbation_pictures.draw(found, photo, params, **how, **noise_options(found.classes, found.agreement))
    advice = f"Take more `samples` than {params.samples:,}, or fewer `segments`."
    arrays = (Array("segments", found.segments), Array("weights", found.weights if found.listed else found.weights[0]))
    return Output(
        artifacts=(*output.artifacts, *arrays),
        facts=facts(**dict(output.facts), **found.facts, agreement=found.agreement),
        warnings=(*output.warnings, *noise_warnings(found.classes, found.agreement, "samples", advice)),
    )
