"""DeepLIFT with the rescale rule (Shrikumar et al., ICML 2017, arXiv:1704.02685).

The rules themselves are in `workers/engine/deep_lift/difference_rules.py`, because only TensorFlow can hand multipliers back through a
model's graph.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from jaxtyping import Float32

from rendering.photo import Photo
from schemas.methods.relevance.deep_lift import DeepLift, DeepLiftFacts
from schemas.models import Preprocessing
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.batch_sizes import gradient_batches
from workers.methods.class_scores import predictions
from workers.methods.gradients.completeness import CompleteAttribution, draw_complete
from workers.methods.gradients.input_attribution import InputAttribution, channel_sum
from workers.methods.gradients.path_baselines import path_baseline

# More than this share of the difference is not lost by rounding in float32.
_ROUNDING = 0.01


def batch_key(params: DeepLift) -> Hashable:
    """Return the batch key: jobs that differ only in their baselines, their classes or their drawing run as one batch."""
    return params.output


def run(probe: Probe, inputs: Inputs, params: Sequence[DeepLift]) -> list[CompleteAttribution]:
    """Return the contributions of each job's input for each of its classes. Each class of a job is a row of its own.

    Raises:
        UnsuitableLayer: a layer of the model has no rule, or the model has no logits.
        NonFinite: contributions or scores are not finite.
    """
    wanted = [job.target_classes() for job in params]
    counts = [len(classes.indices) for classes in wanted]
    owners = np.repeat(np.arange(len(params)), counts)
    class_indices = np.concatenate([np.asarray(classes.indices, np.int32) for classes in wanted])
    preprocessing, output = probe.description.preprocessing, params[0].output
    baselines = np.stack([_baseline(image, job, preprocessing) for image, job in zip(inputs.tensor, params, strict=True)])
    contributions, differences, classes = [], [], []
    for chunk in gradient_batches(len(owners), len(params)):
        rows = owners[chunk]
        found = probe.contributions(inputs.tensor[rows], baselines[rows], class_indices[chunk], output=output)
        contributions.append(found.contributions)
        gained = found.logits.astype(np.float64) - found.baseline_logits
        differences.append(np.take_along_axis(gained, found.class_indices[:, None], axis=1)[:, 0])
        classes += predictions(probe.published, found.class_indices, found.logits, found.probabilities, output)
    ends = np.cumsum(counts)[:-1]
    values, gains = np.split(np.concatenate(contributions), ends), np.split(np.concatenate(differences), ends)
    results, start = [], 0
    for asked, own, gain in zip(wanted, values, gains, strict=True):
        explained = tuple(classes[start : start + len(own)])
        attribution = InputAttribution(own, channel_sum(own), explained, asked.listed, preprocessing)
        results.append(CompleteAttribution(attribution, gain, own.sum(axis=(1, 2, 3), dtype=np.float64)))
        start += len(own)
    return results


def _baseline(image: Float32[np.ndarray, "H W C"], params: DeepLift, preprocessing: Preprocessing) -> Float32[np.ndarray, "H W C"]:
    return path_baseline(params.baseline, image, preprocessing, params.seed)


def draw(result: CompleteAttribution, photo: Photo, params: DeepLift) -> Output:
    """Return the output of a signed map, with a warning if more than rounding was lost."""
    advice = "The differences are so small, or so large on the way, that they are lost in rounding. Try another `baseline`."
    return draw_complete(result, photo, params, DeepLiftFacts, tolerance=_ROUNDING, advice=advice)
