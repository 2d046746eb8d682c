"""The parameters of `kpca_cam`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.methods.cam.activation_params import ActivationCamParams
from schemas.methods.cam.base import FRAMES_CAM_ARTIFACTS, CamFacts
from schemas.methods.card import MethodCard

Kernel = Literal["sigmoid", "rbf", "polynomial", "cosine"]


class KpcaCam(ActivationCamParams):
    """A map of what dominates a layer, whatever the class: the first kernel principal component of its activations over space."""

    card: ClassVar[MethodCard] = MethodCard(
        name="kpca_cam",
        title="KPCA-CAM",
        summary=(
            "This heatmap shows what dominates a layer's activations, as EigenCAM does, but after a bend by a kernel, so that a few very "
            "strong places do not decide alone. It needs no class and no gradient. The facts name the top class, if the model has classes."
        ),
        reference="Karmani et al., KPCA-CAM: Visual Explainability of Deep Computer Vision Models using Kernel PCA, arXiv:2410.00267",
        formula=(
            "the first eigenvector of the centred matrix k(a_i, a_j) over all places i, j, times the root of its eigenvalue; a_i is the "
            "layer's vector at place i, minus the mean vector"
        ),
        cost=(
            "One forward pass, and the first eigenvector of a matrix of all places × all places. On two processors this takes about 0.1 s "
            "for a map of 14 × 14, and 0.4 s for 28 × 28."
        ),
        how_to_read=(
            "It shows which places are alike and differ from the rest, whatever the class. Compare it with `eigen_cam`: where the two "
            "differ, strong places have pulled EigenCAM's map towards themselves."
        ),
        when_it_misleads=(
            "It explains no class: a large background may win, and the sign of the map is a choice (it rises with the mean over the "
            "channels). Kernel and `gamma` are choices, too: another kernel may give another map of the same layer."
        ),
        needs_image=True,
        lane="fast",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None},
    )

    kernel: Kernel = Field(
        default="sigmoid",
        description=(
            "This is the kernel k(a, b): `sigmoid` is tanh(γ·a·b + 1), `rbf` is exp(-γ·|a - b|²), `polynomial` is (γ·a·b + 1)³, and "
            "`cosine` is the cosine of the angle between a and b."
        ),
    )
    gamma: float | None = Field(
        default=None,
        gt=0,
        le=1e6,
        description="This is the γ of the kernel. If it is null, it is 1 divided by the layer's number of channels. `cosine` has none.",
    )
    max_positions: int = Field(
        default=784,
        ge=4,
        le=4096,
        description=(
            "If a layer has more positions than this, square blocks of them are averaged first, and a block has one value. The time "
            "grows with the square of this number."
        ),
    )
