"""Attention relevance by the rule of self-attention (Chefer, Gur and Wolf, ICCV 2021, arXiv:2103.15679)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.attention.chefer import Chefer
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.attention import class_flow, flow
from workers.methods.attention.flow import AttentionFlow, Heads

draw = flow.draw
batch_key = class_flow.batch_key


def relevance_step(attention: Heads, gradients: Heads) -> Float32[np.ndarray, "t t"]:
    """Return I + Ā with Ā = mean_h((∇A ⊙ A)⁺), equation 5 of the paper. R ← (I + Ā)·R is R ← R + Ā·R, equation 6."""
    weights = np.maximum(attention * gradients, 0).mean(axis=0)
    return np.eye(len(weights), dtype=weights.dtype) + weights


def run(probe: Probe, inputs: Inputs, params: Sequence[Chefer]) -> list[AttentionFlow]:
    """Return one result for each job."""
    return class_flow.explain(probe, inputs, params, [relevance_step] * len(params))
