"""Forget the gradients that TensorFlow has registered while it traced a function."""

from __future__ import annotations

from typing import Any

from tensorflow.python.framework.ops import gradient_registry

_ATTRIBUTE = "_gradient_op_type"
_CUSTOM = b"CustomGradient-"


def forget_registered_gradients(graph: Any) -> int:
    """Remove the custom gradients of a graph from TensorFlow's registry, and return how many operations the graph has.

    Each call of a function with a custom gradient, such as `tf.nn.silu`, registers its gradient under a new name, with closures that hold
    the tensors. TensorFlow never removes it, so the graph stays in memory after its function is gone (`_graph_mode_decorator` in
    tensorflow/python/ops/custom_gradient.py; the registry has no public way to remove an entry). A function that computes its gradients
    inside has no use for the entries once it is traced. Whoever differentiates through it afterwards gets TensorFlow's LookupError.
    """
    definition = graph.as_graph_def()
    nodes = [*definition.node, *(node for function in definition.library.function for node in function.node_def)]
    for node in nodes:
        if _ATTRIBUTE in node.attr and node.attr[_ATTRIBUTE].s.startswith(_CUSTOM):
            gradient_registry._registry.pop(node.attr[_ATTRIBUTE].s.decode(), None)
    return len(nodes)
