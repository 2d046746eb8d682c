"""The parameters of `fem`: the feature-based explanation method."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.methods.cam.activation_params import ActivationCamParams
from schemas.methods.cam.base import FRAMES_CAM_ARTIFACTS, CamFacts
from schemas.methods.card import MethodCard


class Fem(ActivationCamParams):
    """A map of rare strong answers, whatever the class: the places where channels are far above their own mean."""

    card: ClassVar[MethodCard] = MethodCard(
        name="fem",
        title="FEM",
        summary=(
            "This heatmap shows where the channels of a layer answer unusually strongly: more than some standard deviations above their "
            "own mean. It needs no class and no gradient. The facts name the top class, if the model has classes."
        ),
        reference=(
            "Fuad et al., Features Understanding in 3D CNNs for Actions Recognition in Video, doi:10.1109/IPTA50016.2020.9286629; the "
            "weighting `activations` is that of the package grad-cam (Gildenblat), class FEM"
        ),
        formula="Σ_k μ_k · 1[A_k > μ_k + s·σ_k], with the mean μ_k and the standard deviation σ_k of channel k over all places",
        cost="One forward pass. There is no backward pass.",
        how_to_read=(
            "A place is warm if many channels have one of their rare strong answers there. Channels that answer everywhere alike say "
            "nothing. Two photos of the same thing should be warm at the same parts."
        ),
        when_it_misleads=(
            "It explains no class: whatever is rare in the photo may win, also a watermark. A channel of n places never exceeds its mean "
            "by more than √(n − 1) standard deviations, so that on small maps a high `sigmas` leaves nothing. Every strong place of a "
            "channel counts the same, so the map has few levels."
        ),
        needs_image=True,
        lane="fast",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "sigmas": 1},
    )

    sigmas: float = Field(
        default=2,
        ge=0,
        le=10,
        description="A channel counts where it is more than this many standard deviations above its mean over all places.",
    )
    weighting: Literal["means", "activations"] = Field(
        default="means",
        description=(
            "`means`: each channel adds its mean at the places where it counts, as in the paper. `activations`: each channel adds its "
            "activations everywhere, times the share of the places where it counts, as in the package grad-cam."
        ),
    )
