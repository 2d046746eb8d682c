"""`guided_backprop`: the gradient with only what is positive let through at every ReLU."""

from __future__ import annotations

from typing import ClassVar

from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, GradientFacts, GradientParams


class GuidedBackprop(GradientParams):
    """Fine detail that excites the neurons behind a class: ∂y/∂x with g·1[x > 0]·1[g > 0] handed back by every ReLU
    (also one that ends at 6)."""

    card: ClassVar[MethodCard] = MethodCard(
        name="guided_backprop",
        title="Guided backpropagation",
        summary="Edges and textures that excite the neurons behind the class, in colour; grey where nothing does.",
        reference="Springenberg et al., Striving for Simplicity: The All Convolutional Net, arXiv:1412.6806",
        needs_image=True,
        lane="fast",
        artifacts=GRADIENT_ARTIFACTS,
        facts=GradientFacts,
        example={"class_index": None},
    )
