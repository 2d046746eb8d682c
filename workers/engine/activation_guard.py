"""Refuse inputs whose activations would take too much memory, before a model runs on them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from schemas.errors import LimitExceeded, ModelTooLarge, OutOfMemory
from workers.engine.activation_limits import ActivationLimits
from workers.engine.activation_sizes import (
    ActivationSizes,
    activation_sizes,
    kept_for_attention_gradients,
    kept_from,
    peak_with_attention,
)
from workers.engine.attention_sizes import AttentionSize
from workers.engine.graph import Graph


class ActivationGuard:
    """Knows the sizes of a model's activations for each size of its image input, and the limits."""

    def __init__(self, graph: Graph, input_name: str, limits: ActivationLimits) -> None:
        self.limits = limits
        self._graph, self._input_name = graph, input_name
        self._sizes = lru_cache(maxsize=64)(self._reckon)

    def most(self, size: tuple[int, int], *, gradient: bool) -> int:
        """Return how many inputs of `size` (height, width), at least one, a forward pass or a gradient pass may have."""
        found = self._sizes(size)
        return max(1, self.limits.kept // max(1, found.kept if gradient else found.peak))

    def attention(self, size: tuple[int, int]) -> Sequence[AttentionSize]:
        """Return the attention matrices of each call that attends, for one input of `size` (height, width)."""
        return tuple(self._sizes(size).attention.values())

    def check(self, shape: Sequence[int], gradient_at: str | None = None, returned: Sequence[str] = ()) -> None:
        """Check a batch of shape (N, H, W, …), for a forward pass or for one with the gradient at a layer.

        Args:
            shape: the shape of the batch.
            gradient_at: the layer whose gradient is computed, if any.
            returned: the layers whose attention matrices the pass returns, with the gradients by them if there is a gradient.

        Raises:
            ModelTooLarge: one input alone takes more than a limit. The error names the largest layer.
            LimitExceeded: the attention matrices that are returned for one input, with their gradients, take more than a limit.
            OutOfMemory: all N inputs together take more. Nothing has run, and smaller batches fit.
            InvalidParameters: the layers cannot process an input of this size.
        """
        count, size = shape[0], (int(shape[1]), int(shape[2]))
        found = self._sizes(size)
        if found.largest > self.limits.largest or found.kept > self.limits.kept:
            raise _too_large(self._graph.model.name, found, size, self.limits)
        each = self._needed(found, gradient_at, returned)
        if returned and each > self.limits.kept:
            raise _too_much_attention(returned, each, size, self.limits.kept)
        if count > 1 and (needed := count * each) > self.limits.kept:
            raise OutOfMemory(
                f"A batch of {count} inputs of {size[0]} × {size[1]} takes {needed:,} bytes of activations; at most "
                f"{self.limits.kept:,} are allowed (CONVSCOPE_MAX_ACTIVATION_BYTES)."
            )

    def _needed(self, found: ActivationSizes, gradient_at: str | None, returned: Sequence[str]) -> int:
        """Return how many bytes a pass takes for one input."""
        forward = peak_with_attention(self._graph, found, returned) if returned else found.peak
        if gradient_at is None:
            return forward
        if returned:
            return max(forward, kept_for_attention_gradients(self._graph, found, returned))
        return max(forward, kept_from(self._graph, found, gradient_at))

    def _reckon(self, size: tuple[int, int]) -> ActivationSizes:
        return activation_sizes(self._graph, self._input_name, size)


def _too_much_attention(layers: Sequence[str], needed: int, size: tuple[int, int], limit: int) -> LimitExceeded:
    return LimitExceeded(
        f"A pass that returns the attention of {len(layers)} layers and its gradients takes {needed:,} bytes for one input of {size[0]} × "
        f"{size[1]}; at most {limit:,} are allowed (CONVSCOPE_MAX_ACTIVATION_BYTES). Ask for fewer layers.",
        pointer="/params/layers",
        allowed=str(limit),
        got=str(needed),
    )


def _too_large(model: str, found: ActivationSizes, size: tuple[int, int], limits: ActivationLimits) -> ModelTooLarge:
    where = f"for one input of {size[0]} × {size[1]}"
    if found.largest > limits.largest:
        return ModelTooLarge(
            f"Layer '{found.largest_layer}' of model '{model}' gives {found.largest:,} bytes {where}; at most {limits.largest:,} are "
            "allowed (CONVSCOPE_MAX_LAYER_ACTIVATION_BYTES).",
            allowed=str(limits.largest),
            got=str(found.largest),
        )
    return ModelTooLarge(
        f"The layers of model '{model}' give {found.kept:,} bytes together {where}; at most {limits.kept:,} are allowed "
        f"(CONVSCOPE_MAX_ACTIVATION_BYTES). The largest is '{found.largest_layer}' with {found.largest:,} bytes.",
        allowed=str(limits.kept),
        got=str(found.kept),
    )
