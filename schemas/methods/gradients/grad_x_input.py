"""The parameters of `grad_x_input`: gradient times input."""

from __future__ import annotations

from typing import ClassVar

from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, GradientFacts, ScoreGradientParams


class GradXInput(ScoreGradientParams):
    """The contribution of each pixel to a class's score, to first order.

    It is x·∂y/∂x, where x is the model's input. The map is its sum over the channels.
    """

    card: ClassVar[MethodCard] = MethodCard(
        name="grad_x_input",
        title="Gradient × input",
        summary="This shows what each pixel adds to the class's score, to first order. Red speaks for the class, blue against it.",
        reference="Shrikumar et al., Not Just a Black Box, arXiv:1605.01713",
        formula="x · ∂y/∂x, summed over the colour channels",
        cost="One forward and one backward pass down to the image.",
        how_to_read="Red pixels raise the class to first order, blue pixels lower it.",
        when_it_misleads=(
            "A black pixel (a value of 0 after preprocessing) gets nothing, however important it is. Where the network is saturated the "
            "gradient is small, although the pixel matters; `integrated_gradients` answers this."
        ),
        needs_image=True,
        lane="fast",
        artifacts=GRADIENT_ARTIFACTS,
        facts=GradientFacts,
        example={"class_index": None},
    )
