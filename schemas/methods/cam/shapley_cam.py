"""The parameters of `shapley_cam`."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from schemas.methods.cam.base import FRAMES_CAM_ARTIFACTS, CamFacts, ClassCamParams
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams


class ShapleyCam(FramesParams, ClassCamParams):
    """A map with weights that estimate what each channel adds to a class in a game of all of them: mean(G − ½·H·A)."""

    card: ClassVar[MethodCard] = MethodCard(
        name="shapley_cam",
        title="ShapleyCAM",
        summary=(
            "This is Grad-CAM with weights that also know how the gradient changes. They estimate what each channel adds to the class's "
            "score, averaged over the orders in which all values of the layer could be added (its Shapley value)."
        ),
        reference="Cai, CAMs as Shapley Value-based Explainers, arXiv:2501.06261",
        formula="relu(Σ_k w_k · A_k), w_k = mean(G_k − ½·(H·A)_k); G = ∂y/∂A is the gradient and H = ∂²y/∂A² the Hessian of the score y",
        cost="One forward pass and two backward passes, from the class down to the layer.",
        how_to_read=(
            "Read it like Grad-CAM: a place is warm if it speaks for the class. The score is the residual softmax, so the map says why "
            "this class and not another one. Where it differs from Grad-CAM, the score does not rise in a straight line from an empty "
            "layer to this one."
        ),
        when_it_misleads=(
            "It equals Grad-CAM if every layer after the target layer is linear or a ReLU and `score` is `logit`, because the Hessian is "
            "then 0. With the score `probability`, a sure class has almost no gradient, so the map may be noise. The map has the "
            "resolution of the layer, and its gradients are averaged over all places."
        ),
        needs_image=True,
        lane="fast",
        artifacts=FRAMES_CAM_ARTIFACTS,
        facts=CamFacts,
        example={"layer": None, "class_index": None},
    )

    score: Literal["rest", "logit", "probability"] = Field(
        default="rest",
        description=(
            "This score y of the class is explained: `rest` (residual softmax, the paper's choice) is the logit plus the natural logarithm "
            "of the probability. For a target other than a class, `rest` is the target's value."
        ),
    )

    @property
    def explained_score(self) -> Literal["logit", "probability"]:
        """The score of the classes that targets other than one class are made of."""
        return "probability" if self.score == "probability" else "logit"
