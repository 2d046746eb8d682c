"""The rules of layer-wise relevance propagation, and the composites that choose one for each kind of layer.

The names of the composites are those of Anders et al. (Zennit, arXiv:2106.13200).
"""

from __future__ import annotations

from typing import Literal, NamedTuple

LayerRule = Literal["epsilon", "gamma", "alpha_beta", "z_plus", "flat", "w_square"]
"""A rule that every convolution and dense layer can follow."""

FirstRule = Literal["epsilon", "gamma", "alpha_beta", "z_plus", "flat", "w_square", "z_box"]
"""A rule of the first layer. `z_box` needs the range of the layer's input, which is known at the image alone."""

Composite = Literal["epsilon_plus_flat", "epsilon_gamma_box", "epsilon_alpha2_beta1", "epsilon"]


class CompositeRules(NamedTuple):
    """The rules of a composite. If `first` is None, the first layer follows the rule of its kind."""

    convolution: LayerRule
    dense: LayerRule
    first: FirstRule | None


COMPOSITES: dict[Composite, CompositeRules] = {
    "epsilon_plus_flat": CompositeRules("z_plus", "epsilon", "flat"),
    "epsilon_gamma_box": CompositeRules("gamma", "epsilon", "z_box"),
    "epsilon_alpha2_beta1": CompositeRules("alpha_beta", "epsilon", None),
    "epsilon": CompositeRules("epsilon", "epsilon", None),
}
