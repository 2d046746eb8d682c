"""Layer-wise relevance propagation (Bach et al. 2015, doi:10.1371/journal.pone.0130140).

The rules themselves are in `workers/engine/relevance/rules.py`, because only TensorFlow can hand relevance back through a model's graph.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from rendering.photo import Photo
from schemas.methods.relevance.lrp import AS_OTHERS, Lrp, LrpFacts
from schemas.models import Preprocessing
from workers.contract.artifacts import Output
from workers.contract.colours import normalise
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.contract.relevance import InputRange, RelevanceRules, Relevances
from workers.methods.batch_sizes import gradient_batches
from workers.methods.class_scores import predictions
from workers.methods.gradients import gradient_pictures
from workers.methods.gradients.input_attribution import InputAttribution, channel_sum


@dataclass(frozen=True)
class RelevanceAttribution:
    """The result of one job.

    Attributes:
        attribution: the relevances and their maps.
        used: the pass that found them, for the rules that its layers followed.
    """

    attribution: InputAttribution
    used: Relevances

    @property
    def maps(self) -> Float32[np.ndarray, "n H W"]:
        """The maps of the relevances."""
        return self.attribution.maps

    @property
    def sums(self) -> Float64[np.ndarray, " n"]:
        """The sum of each class's relevances."""
        return self.attribution.values.sum(axis=(1, 2, 3), dtype=np.float64)

    @property
    def errors(self) -> Float64[np.ndarray, " n"]:
        """For each class |sum − logit| as a share of |logit|, or unscaled if the logit is 0."""
        logits = np.array([scored.logit for scored in self.attribution.classes])
        return np.abs(self.sums - logits) / np.where(logits == 0, 1, np.abs(logits))


def input_range(tensor: Float32[np.ndarray, "n H W C"], preprocessing: Preprocessing) -> InputRange:
    """Return the lowest and the highest values of inputs: those of pixels of 0 and of 255, or of the input itself where it goes beyond."""
    ends = [normalise(np.full((1, 1, 1, tensor.shape[-1]), level, np.uint8), preprocessing) for level in (0, 255)]
    low, high = np.minimum(*ends), np.maximum(*ends)
    return InputRange(np.minimum(low, tensor), np.maximum(high, tensor))


def rules_of(params: Lrp) -> RelevanceRules:
    """Return the rules of resolved parameters.

    Raises:
        ValueError: the parameters are not resolved.
    """
    if params.convolution_rule is None or params.dense_rule is None or params.first_rule is None:
        raise ValueError("the parameters are not resolved: a rule is None")
    first = None if params.first_rule == AS_OTHERS else params.first_rule
    return RelevanceRules(
        convolution=params.convolution_rule,
        dense=params.dense_rule,
        first=first,
        epsilon=params.epsilon,
        gamma=params.gamma,
        alpha=params.rule_alpha,
    )


def batch_key(params: Lrp) -> Hashable:
    """Return the batch key: jobs that differ only in their classes or their drawing run as one batch."""
    return params.output, rules_of(params)


def run(probe: Probe, inputs: Inputs, params: Sequence[Lrp]) -> list[RelevanceAttribution]:
    """Return the relevance of each job's input for each of its classes. Each class of a job is a row of its own.

    Raises:
        UnsuitableLayer: a layer of the model has no rule, or the model has no logits.
        NonFinite: relevances or scores are not finite.
    """
    wanted = [job.target_classes() for job in params]
    counts = [len(classes.indices) for classes in wanted]
    owners = np.repeat(np.arange(len(params)), counts)
    class_indices = np.concatenate([np.asarray(classes.indices, np.int32) for classes in wanted])
    rules, preprocessing, output = rules_of(params[0]), probe.description.preprocessing, params[0].output
    passes, classes = [], []
    for chunk in gradient_batches(len(owners), len(params)):
        tensor = inputs.tensor[owners[chunk]]
        found = probe.relevances(tensor, class_indices[chunk], rules, input_range(tensor, preprocessing), output=output)
        passes.append(found)
        classes += predictions(probe.published, found.class_indices, found.logits, found.probabilities, output)
    relevances = np.split(np.concatenate([found.relevances for found in passes]), np.cumsum(counts)[:-1])
    results, start = [], 0
    for asked, own, count in zip(wanted, relevances, counts, strict=True):
        explained = tuple(classes[start : start + count])
        results.append(RelevanceAttribution(InputAttribution(own, channel_sum(own), explained, asked.listed, preprocessing), passes[0]))
        start += count
    return results


def draw(result: RelevanceAttribution, photo: Photo, params: Lrp) -> Output:
    """Return the output of a signed map, with the rules that were followed and the share of the score that did not arrive."""
    return gradient_pictures.draw_signed(
        result.attribution,
        photo,
        params,
        LrpFacts,
        relevance=tuple(result.sums.tolist()),
        conservation_error=tuple(result.errors.tolist()),
        rules=dict(result.used.rules),
        batch_norms_merged=result.used.batch_norms_merged,
        batch_norms_passed=result.used.batch_norms_passed,
    )
