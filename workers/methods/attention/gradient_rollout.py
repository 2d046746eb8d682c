"""Gradient attention rollout, as in the code of vit-explain (Gildenblat, github.com/jacobgil/vit-explain)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from jaxtyping import Float32

from schemas.methods.attention.gradient_rollout import GradientRollout
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.attention import class_flow, flow
from workers.methods.attention.flow import AttentionFlow, Heads, with_residual, without_lowest

draw = flow.draw
batch_key = class_flow.batch_key


def gradient_rollout_step(attention: Heads, gradients: Heads, discard_ratio: float) -> Float32[np.ndarray, "t t"]:
    """Return Ã = norm(½·(W + I)) of one layer with W = mean_h(∇A ⊙ A)⁺, without the lowest weights.

    The code of vit-explain lists gradients in the order of the backward pass, so that it multiplies the attention of the first layer by
    the gradient of the last one, and it divides columns by the sums of rows. Here each layer has its own gradient, and each row of Ã is
    divided by its own sum.
    """
    weights = np.maximum((attention * gradients).mean(axis=0), 0)
    return with_residual(without_lowest(weights, discard_ratio))


def run(probe: Probe, inputs: Inputs, params: Sequence[GradientRollout]) -> list[AttentionFlow]:
    """Return one result for each job."""
    formulas = [partial(gradient_rollout_step, discard_ratio=job.discard_ratio) for job in params]
    return class_flow.explain(probe, inputs, params, formulas)
