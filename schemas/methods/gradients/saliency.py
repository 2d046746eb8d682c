"""The parameters of `saliency`: the absolute gradient of a class's score at the input."""

from __future__ import annotations

from typing import ClassVar

from schemas.methods.card import MethodCard
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, GradientFacts, MagnitudeParams


class Saliency(MagnitudeParams):
    """The pixels that change a class's score most when they change a little: the largest |∂y/∂x| over the channels."""

    card: ClassVar[MethodCard] = MethodCard(
        name="saliency",
        title="Saliency",
        summary="The brightness of a pixel shows how much the class's score would change if this pixel changed a little.",
        reference="Simonyan et al., Deep Inside Convolutional Networks, arXiv:1312.6034",
        formula="max over the colour channels of |∂y/∂x|",
        cost="One forward and one backward pass down to the image.",
        how_to_read=(
            "Bright pixels are those where a small change moves the class's score most. Look at where they gather, and not at single "
            "pixels."
        ),
        when_it_misleads=(
            "It shows how sensitive the score is, and not what makes it high: a bright pixel may raise or lower the class. Gradients of "
            "deep networks are noisy, so single pixels mean little. `smooth_grad` averages the noise."
        ),
        needs_image=True,
        lane="fast",
        artifacts=GRADIENT_ARTIFACTS,
        facts=GradientFacts,
        example={"class_index": None},
    )
