"""The parameters of `guided_backprop`: the gradient of which every ReLU lets only the positive part through."""

from __future__ import annotations

from typing import ClassVar

from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, GradientFacts, GradientParams


class GuidedBackprop(GradientParams):
    """Fine detail that excites the neurons behind a class.

    This is ∂y/∂x where every ReLU, also one that ends at 6, sends back g·1[x > 0]·1[g > 0] of a gradient g.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="guided_backprop",
        title="Guided backpropagation",
        summary="This shows in colour on grey the edges and textures that excite the neurons behind the class.",
        reference="Springenberg et al., Striving for Simplicity: The All Convolutional Net, arXiv:1412.6806",
        formula="∂y/∂x, where each ReLU lets only positive gradients of active neurons through",
        cost="One forward and one backward pass down to the image.",
        how_to_read=(
            "It shows edges and textures that excite neurons on the way to the class, in their own colours. It is sharp and good for "
            "seeing what kind of detail is used."
        ),
        when_it_misleads=(
            "It hardly depends on the class: ask for another class and the picture stays nearly the same. Use it to see details, and not "
            "to ask why a class won."
        ),
        needs_image=True,
        lane="fast",
        artifacts=GRADIENT_ARTIFACTS,
        facts=GradientFacts,
        example={"class_index": None},
    )
