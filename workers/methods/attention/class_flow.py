"""The frame of the methods that follow attention to a class's score, with the gradient of the score by the attention.

Such a method is a module of its own that gives its formula to `explain`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from jaxtyping import Float32

from schemas.methods.attention.chefer import Chefer
from schemas.methods.attention.gradient_rollout import GradientRollout
from workers.contract.inputs import Inputs
from workers.contract.probe import Probe
from workers.methods.attention.flow import AttentionFlow, Heads, flow_of_job, flows
from workers.methods.batch_sizes import gradient_batches
from workers.methods.class_scores import predictions

ClassFlowParams = GradientRollout | Chefer
LayerFormula = Callable[[Heads, Heads], Float32[np.ndarray, "t t"]]
"""The attention of one layer and its gradient become the matrix by which the layer changes what tokens depend on."""


def batch_key(params: ClassFlowParams) -> Hashable:
    """Return the batch key: jobs that differ only in their classes, their query or their drawing run as one batch."""
    return params.layers, params.output


def explain(probe: Probe, inputs: Inputs, params: Sequence[ClassFlowParams], formulas: Sequence[LayerFormula]) -> list[AttentionFlow]:
    """Return one result for each job of a batch. Each class of a job is a row of its own.

    Args:
        params: the jobs' resolved parameters, all with the same layers and output.
        formulas: the formula of each job.

    Raises:
        UnsuitableLayer: the attention of a layer cannot be seen, or does not go over all tokens of the map.
        NonFinite: attention, gradients or scores are not finite.
    """
    wanted = [job.target_classes() for job in params]
    owners = np.repeat(np.arange(len(params)), [len(classes.indices) for classes in wanted])
    class_indices = np.concatenate([np.asarray(classes.indices, np.int32) for classes in wanted])
    size, output = (inputs.tensor.shape[1], inputs.tensor.shape[2]), params[0].output
    results: list[list[AttentionFlow]] = [[] for _ in params]
    for chunk in gradient_batches(len(owners), len(params)):
        own = owners[chunk]
        found = probe.attention_gradients(inputs.tensor[own], params[0].layer_paths(), class_indices[chunk], output=output)
        classes = predictions(probe.published, found.class_indices, found.logits, found.probabilities, output)

        def matrix(key: str, attention: Float32[np.ndarray, "n heads t t"], *, found=found, own=own) -> Float32[np.ndarray, "n t t"]:
            gradients = found.gradients[key].reshape(attention.shape)
            return np.stack([formulas[job](*each) for job, *each in zip(own, attention, gradients, strict=True)])

        flow = flows(probe, found.layers, matrix, size)
        for row, (job, scored) in enumerate(zip(own.tolist(), classes, strict=True)):
            asked = params[job]
            results[job].append(flow_of_job(asked, flow, [row], (scored,), listed=wanted[job].listed, layers=found.layers))
    return [_joined(parts) for parts in results]


def _joined(parts: Sequence[AttentionFlow]) -> AttentionFlow:
    """Return the results of a job's classes as one result."""
    first = parts[0]
    return AttentionFlow(
        maps=np.concatenate([each.maps for each in parts]),
        place=first.place,
        classes=tuple(scored for each in parts for scored in each.classes),
        listed=first.listed,
        heads=first.heads,
        tokens=first.tokens,
        outside=np.concatenate([each.outside for each in parts]),
    )
