"""Attention rollout (Abnar and Zuidema, Quantifying Attention Flow in Transformers, arXiv:2005.00928)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float32

from rendering.photo import Photo
from schemas.methods.attention.attention_rollout import AttentionRollout, HeadFusion
from schemas.methods.facts import Prediction
from workers.contract.artifacts import Output
from workers.contract.inputs import Inputs
from workers.contract.probe import Forward, Probe
from workers.methods.attention import flow
from workers.methods.attention.flow import AttentionFlow, Heads, flow_of_job, flows, with_residual, without_lowest
from workers.methods.class_scores import top_predictions_of_inputs
from workers.methods.explained_target import without_class

# It stands for the class where an output has none. The head `none` says that it is no class of the model.
_NO_CLASS = Prediction(class_index=0, label="all that the token attends to", logit=0.0, probability=0.0, head="none")


def rollout_step(attention: Heads, fusion: HeadFusion, discard_ratio: float, *, class_token: bool) -> Float32[np.ndarray, "t t"]:
    """Return Ã = norm(½·(W + I)) of one layer, where W are its fused heads without the lowest weights.

    This is the rule of the paper for the mean of the heads. Other fusions and the discarded share are those of vit-explain (Gildenblat),
    which keeps the class token's attention to itself. It divides the columns of Ã by the sums of the rows, where the rows do not sum to 1;
    here each row is divided by its own sum.
    """
    fused = {"mean": attention.mean, "max": attention.max, "min": attention.min}[fusion](axis=0)
    return with_residual(without_lowest(fused, discard_ratio, kept=class_token))


def batch_key(params: AttentionRollout) -> Hashable:
    """Return the batch key: jobs that differ in other things than the layers and the output run as one batch."""
    return params.layers, params.output


def run(probe: Probe, inputs: Inputs, params: Sequence[AttentionRollout]) -> list[AttentionFlow]:
    """Return one result for each job. It names the top class, if the output has classes, but the map does not depend on it.

    Raises:
        UnsuitableLayer: the attention of a layer cannot be seen, or does not go over all tokens of the map.
        NonFinite: attention or scores are not finite.
    """
    output = params[0].output
    has_classes = probe.description.head_at(output).classes is not None
    found = probe.attentions(inputs.tensor, params[0].layer_paths(), scores=has_classes, output=output)
    scored = Forward({}, found.logits, found.probabilities)
    classes = top_predictions_of_inputs(probe.published, scored, output) if has_classes else [_NO_CLASS] * len(params)

    def matrix(key: str, attention: Float32[np.ndarray, "n heads t t"]) -> Float32[np.ndarray, "n t t"]:
        return np.stack(
            [
                rollout_step(heads, job.head_fusion, job.discard_ratio, class_token=job.query == "class_token")
                for heads, job in zip(attention, params, strict=True)
            ]
        )

    way = flows(probe, found.layers, matrix, (inputs.tensor.shape[1], inputs.tensor.shape[2]))
    return [flow_of_job(job, way, [row], (classes[row],), listed=False, layers=found.layers) for row, job in enumerate(params)]


def draw(result: AttentionFlow, photo: Photo, params: AttentionRollout) -> Output:
    """Return the output of a job. The fields of the class are null in its facts if the model's output has no classes."""
    output = flow.draw(result, photo, params)
    return output if result.classes != (_NO_CLASS,) else replace(output, facts=without_class(output.facts))
