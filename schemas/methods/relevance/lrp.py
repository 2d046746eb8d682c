"""The parameters of `lrp`: the score of a class, handed back layer by layer to the pixels."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from pydantic import Field

from schemas.limits import MethodLimits
from schemas.methods.card import MethodCard
from schemas.methods.frames import FramesParams
from schemas.methods.gradients.base import GRADIENT_ARTIFACTS, GradientFacts, PictureParams
from schemas.methods.relevance.rules import COMPOSITES, Composite, FirstRule, LayerRule
from schemas.methods.target_class import TargetClassParams
from schemas.models import PublishedModel

AS_OTHERS = "as_others"


class LrpFacts(GradientFacts):
    """The classes, how much of each score has arrived, and the rules that were followed. Lists are in the order of `classes`."""

    relevance: tuple[float, ...] = Field(
        description="This is the sum of all relevances. If nothing is lost, it is the score: the logit, or the value of another target."
    )
    conservation_error: tuple[float, ...] = Field(
        description="This is |relevance − score| / |score|, or the numerator alone if the score is 0. Biases keep a share of the score."
    )
    rules: dict[str, int] = Field(description="This is the number of layers that followed each rule. A separable convolution counts twice.")
    batch_norms_merged: int = Field(description="This many batch norms were merged into the layer before them.")
    batch_norms_passed: int = Field(
        description="This many batch norms could not be merged. Relevance passes through them unchanged, as through an activation."
    )


class Lrp(FramesParams, TargetClassParams, PictureParams):
    """Each pixel's share in a class's score. The score is handed back from layer to layer, in proportion to what each value contributed."""

    card: ClassVar[MethodCard] = MethodCard(
        name="lrp",
        title="Layer-wise relevance propagation",
        summary=(
            "The class's score is handed back through the network, layer by layer, and each value gets the share that it contributed. "
            "Red pixels speak for the class, blue ones against it."
        ),
        reference=(
            "Bach et al., On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise Relevance Propagation, "
            "doi:10.1371/journal.pone.0130140; rules as in Zennit, Anders et al., arXiv:2106.13200; layer norm and "
            "attention as in Ali et al., arXiv:2202.07304"
        ),
        formula="R_i = Σ_j (contribution of i to j) / (all contributions to j) · R_j, from the logit down to the pixels",
        cost=(
            "One forward pass, and one backward pass that computes each layer two to eight times, depending on the rules. In all it takes "
            "about two to six times as long as `saliency`."
        ),
        how_to_read=(
            "Red pixels contributed to the score, blue pixels lowered it. Rules that follow positive contributions alone (`z_plus`, the "
            "default for convolutions) give a calm picture of what was used. `alpha_beta` and `epsilon` also show what speaks against the "
            "class, and are noisier. `facts.conservation_error` says how much of the score did not arrive."
        ),
        when_it_misleads=(
            "With `z_plus` and `flat`, the picture depends less on the class than it seems: ask for another class to see what changes. "
            "The rules are a choice: another composite gives another picture of the same model. Biases keep their share of the score, and "
            "merged batch norm makes large ones: in `efficientnet_lite0` they keep nearly all of it, and the picture shows how the rest is "
            "shared. The `flat` rule spreads relevance evenly over the pixels that the first layer reads."
        ),
        needs_image=True,
        lane="fast",
        artifacts=GRADIENT_ARTIFACTS,
        facts=LrpFacts,
        example={"class_index": None},
    )

    composite: Composite = Field(
        default="epsilon_plus_flat",
        description=(
            "This chooses a rule for each kind of layer. `epsilon_plus_flat`: z⁺ for convolutions, ε for dense layers, flat for the first "
            "layer. `epsilon_gamma_box`: γ, ε, and z-box for the first layer. `epsilon_alpha2_beta1`: αβ for convolutions and ε for dense "
            "layers. `epsilon`: ε everywhere."
        ),
    )
    convolution_rule: LayerRule | None = Field(
        default=None, description="This is the rule of convolutions, in place of the composite's. If it is null, the composite decides."
    )
    dense_rule: LayerRule | None = Field(
        default=None, description="This is the rule of dense layers, in place of the composite's. If it is null, the composite decides."
    )
    first_rule: FirstRule | Literal["as_others"] | None = Field(
        default=None,
        description=(
            "This is the rule of the first layer with weights, in place of the composite's. `as_others` gives it the rule of its kind. "
            "`z_box` knows that pixels are limited to 0-255. If it is null, the composite decides."
        ),
    )
    epsilon: float = Field(
        default=1e-6,
        ge=1e-9,
        le=1,
        description=(
            "This is the ε of the ε rule. It is added to the divisor, with the sign of the divisor. A larger one hides weak relevance."
        ),
    )
    gamma: float = Field(
        default=0.25,
        ge=0,
        le=100,
        description="This is the γ of the γ rule: contributions with the sign of the output count 1 + γ times. With 0 it is the ε rule.",
    )
    rule_alpha: float = Field(
        default=2,
        ge=1,
        le=10,
        description="This is the α of the αβ rule, the weight of positive contributions. The weight β of negative ones is α − 1.",
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        chosen = COMPOSITES[self.composite]
        resolved = self.changed(
            convolution_rule=self.convolution_rule or chosen.convolution,
            dense_rule=self.dense_rule or chosen.dense,
            first_rule=self.first_rule or chosen.first or AS_OTHERS,
        ).resolve_target(model, limits)
        self.check_frames(resolved, limits)
        return resolved
