"""The parameters of `full_grad`: the input gradient and the gradients of all biases."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.colormap import Colormap
from schemas.methods.frames import FramesParams
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, GradientFacts, PictureParams
from schemas.methods.target_class import TargetClassParams
from schemas.models import PublishedModel


class FullGradFacts(GradientFacts):
    """The classes, and the parts of each score. Lists are in the order of `classes`."""

    from_input: tuple[float, ...] = Field(description="This part of the score is the sum of input · gradient.")
    from_biases: tuple[float, ...] = Field(description="This part of the score is the sum of bias · gradient over all biases.")
    without_place: tuple[float, ...] = Field(
        description="This share of `from_biases` belongs to layers without a map, such as dense layers. It is not in the picture."
    )
    completeness_error: tuple[float, ...] = Field(
        description=(
            "This is |from_input + from_biases − score| / |score|, or the numerator alone if the score is 0. It is 0 but for rounding."
        )
    )
    biased_layers: int = Field(description="The picture adds up so many layers with biases and a map.")


class FullGrad(FramesParams, TargetClassParams, PictureParams):
    """A map of every part of a class's score: input · gradient at the pixels, and bias · gradient at every layer."""

    card: ClassVar[MethodCard] = MethodCard(
        name="full_grad",
        title="FullGrad",
        summary=(
            "The class's score is the sum of input · gradient over all pixels and of bias · gradient over all biases of the network. The "
            "map adds up how large these parts are at each place, over all layers."
        ),
        reference="Srinivas and Fleuret, Full-Gradient Representation for Neural Network Visualization, arXiv:1905.00780",
        formula="ψ(x · ∂y/∂x) + Σ_l Σ_k ψ(b_l · ∂y/∂z_l)_k; ψ: absolute values, scaled to 0-1 and enlarged to the input's size",
        cost="One forward and one backward pass down to the image. Each layer with a bias is computed twice more.",
        how_to_read=(
            "A place is bright if pixels or biases there hold large parts of the score, for the class or against it. Early layers give it "
            "edges, late layers give it regions. `facts` say how much of the score comes from the input and how much from biases."
        ),
        when_it_misleads=(
            "Absolute values are added, so evidence against the class is bright, too. Every layer counts the same, because each is scaled "
            "to 0-1: a layer with tiny parts is as bright as one with large parts. Parts of dense layers are in no place of the picture."
        ),
        needs_image=True,
        lane="fast",
        artifacts=GRADIENT_ARTIFACTS,
        facts=FullGradFacts,
        example={"class_index": None},
    )

    scaling: Literal["layer", "channel"] = Field(
        default="layer",
        description=(
            "The absolute parts are scaled to 0-1 over all channels of a `layer` together, as in the authors' code, or for each `channel` "
            "alone, as in the package grad-cam."
        ),
    )
    smooth: float = Field(
        default=0,
        ge=0,
        le=0.2,
        description="The map is blurred before it is drawn, by a Gaussian whose σ is this share (0-0.2) of the input's shorter side.",
    )
    colormap: Colormap = Field(default="inferno", description="The map has the colours of this colormap, alone and on the image.")

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = self.resolve_target(model, limits)
        self.check_frames(resolved, limits)
        return resolved
