"""The arguments of a call that carry relevance or differences, apart from its other arguments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import keras

from workers.engine.inference import call_for_inference
from workers.engine.keras_internals import call_arguments
from workers.engine.topology import GraphStep, TensorRef


def carried_arguments(
    step: GraphStep, carriers: Collection[TensorRef], operation: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Callable[..., Any], list[Any]]:
    """Return a function of the arguments that carry something, and these arguments.

    Args:
        step: the call in the model's graph.
        carriers: the tensors of the graph that carry something.
        operation: what is called.
        args, kwargs: the arguments of the call. The function keeps those that carry nothing.
    """
    symbolic = keras.tree.flatten(call_arguments(step.node, {id(tensor): tensor for tensor in step.node.input_tensors}))
    places = [place for place, leaf in enumerate(symbolic) if (step.scope, id(leaf)) in carriers]
    leaves = keras.tree.flatten((args, kwargs))

    def compute(*given: Any) -> Any:
        filled = dict(enumerate(leaves)) | dict(zip(places, given, strict=True))
        args_, kwargs_ = keras.tree.pack_sequence_as((args, kwargs), [filled[place] for place in range(len(leaves))])
        return call_for_inference(operation, args_, kwargs_)

    return compute, [leaves[place] for place in places]
