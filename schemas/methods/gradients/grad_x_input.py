"""The parameters of `grad_x_input`: gradient times input."""

from __future__ import annotations

from typing import ClassVar

from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, GradientFacts, ScoreGradientParams


class GradXInput(ScoreGradientParams):
    """What each pixel adds to a class's score, to first order: x·∂y/∂x summed over the channels, where x is the model's input."""

    card: ClassVar[MethodCard] = MethodCard(
        name="grad_x_input",
        title="Gradient × input",
        summary="This shows what each pixel adds to the class's score, to first order. Red speaks for the class, blue against it.",
        reference="Shrikumar et al., Not Just a Black Box, arXiv:1605.01713",
        needs_image=True,
        lane="fast",
        artifacts=GRADIENT_ARTIFACTS,
        facts=GradientFacts,
        example={"class_index": None},
    )
