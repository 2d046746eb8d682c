"""The parameters and facts of `adversarial`: a small change of the photo that changes the model's answer."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, field_validator

from schemas.errors import InvalidParameters
from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.card import ArtifactSpec, MethodCard
from schemas.methods.facts import Facts, Prediction
from schemas.methods.image_input import ExplainedInputParams
from schemas.methods.sets.photo_attribution import (
    ATTRIBUTION,
    TAKEN,
    AttributionOptions,
    check_not_taken,
    completed_options,
    photo_attribution,
)
from schemas.methods.target_class import class_output
from schemas.methods.targets import ClassSelector
from schemas.models import PublishedModel

ChangeNorm = Literal["linf", "l2"]


class AdversarialFacts(Facts):
    """The answer before and after the change, and how large the change is."""

    attack: Literal["fgsm", "pgd"] = Field(description="This is the attack.")
    norm: ChangeNorm = Field(description="This is the norm that bounds the change.")
    epsilon: float = Field(description="This is the bound of the change that is shown, in units of the photo's 0-255.")
    flipped: bool = Field(
        description="It says whether the attack has reached its aim: another top class, or the target class as the top class."
    )
    flipped_as_levels: bool = Field(description="It says whether this is also so if the changed photo is rounded to whole levels of 0-255.")
    smallest_epsilon: float | None = Field(
        description="This is the smallest bound, to within 1/64, at which `fgsm` reaches its aim. It is null if it was not looked for, or "
        "if none was found up to the bound asked for."
    )
    change_linf: float = Field(description="This is the largest change of a value of the photo as the model sees it, in units of 0-255.")
    change_l2: float = Field(description="This is the Euclidean length of the change, in units of 0-255.")
    before: tuple[Prediction, ...] = Field(description="These are the top classes of the photo, and the target class if there is one.")
    after: tuple[Prediction, ...] = Field(description="These are the top classes of the changed photo, and those of `before`.")
    enlarged: float = Field(description="The picture of the change shows it this many times as large as it is.")
    gradients: int = Field(description="This is the number of gradients that were taken.")


class Adversarial(ExplainedInputParams):
    """A change of the photo, too small to be seen, with which the model gives another answer."""

    card: ClassVar[MethodCard] = MethodCard(
        name="adversarial",
        title="Adversarial photo",
        summary=(
            "This changes the photo so little that a person hardly sees it, and so that the model's answer changes. It shows the change, "
            "the answers, and where the model looks before and after."
        ),
        reference=(
            "Goodfellow et al., Explaining and Harnessing Adversarial Examples, arXiv:1412.6572 (FGSM); Madry et al., Towards Deep "
            "Learning Models Resistant to Adversarial Attacks, arXiv:1706.06083 (PGD)"
        ),
        formula=(
            "FGSM: x + ε·sign(∇ₓ L), or x + ε·∇ₓ L / |∇ₓ L|₂; PGD: many such steps, each projected back to |change| ≤ ε; L is the cross "
            "entropy of the answer, or minus that of the target class"
        ),
        cost="FGSM: one gradient, and about 25 forward passes for the smallest change. PGD: one gradient for each step.",
        how_to_read=(
            "Look at the smallest change that flips the answer: the smaller it is, the less the answer can be relied on. Compare the two "
            "heats: the model may look at the same place and see something else, or look elsewhere."
        ),
        when_it_misleads=(
            "That an attack fails does not mean that the model is robust: FGSM is weak, and PGD finds more with more steps. The change is "
            "made for the model's input, so it need not survive resizing, JPEG or printing. Nearly every network can be fooled, so being "
            "fooled is no sign of a bad one."
        ),
        needs_image=True,
        lane="slow",
        artifacts=(
            ArtifactSpec(
                "picture",
                "image",
                "This shows the photo as the model sees it, the change enlarged, the changed photo, and the heat before and after.",
                primary=True,
            ),
            ArtifactSpec("changed", "image", "This is the changed photo as the model sees it, rounded to whole levels."),
            ArtifactSpec("change", "array", "This is the change (H, W, C) float32 of the model's input, in units of 0-255."),
            ArtifactSpec("input", "array", "This is the changed input (H, W, C) float32, preprocessed, as the model gets it."),
            ArtifactSpec("map.before", "array", "This is the unscaled map (h, w) float32 of the attribution for the photo's top class."),
            ArtifactSpec("map.after", "array", "This is the map (h, w) float32 for the top class of the changed photo."),
        ),
        facts=AdversarialFacts,
        example={"attack": "fgsm", "epsilon": 8.0},
    )

    attack: Literal["fgsm", "pgd"] = Field(
        default="fgsm", description="`fgsm` takes one step along the gradient. `pgd` takes many small ones and finds more."
    )
    norm: ChangeNorm = Field(
        default="linf",
        description="`linf` bounds the change of each value, `l2` the Euclidean length of the whole change.",
    )
    epsilon: float = Field(
        default=8.0,
        gt=0,
        le=100_000,
        description=(
            "The change is at most this large, in units of the photo's 0-255: the change of each value for `linf`, and the Euclidean "
            "length for `l2`, where a photo of 224 × 224 needs some hundreds. An array's own units count."
        ),
    )
    target_class: ClassSelector | None = Field(
        default=None,
        description="The changed photo should have this class, an index or a label, as its top class. If it is null, any other will do.",
    )
    smallest: bool = Field(
        default=True,
        description=(
            "If it is true, `fgsm` looks for the smallest change that flips the answer, up to `epsilon`, and shows it. `pgd` shows the "
            "change that it has found within `epsilon`."
        ),
    )
    steps: int = Field(default=20, ge=1, le=1000, description="`pgd` takes this many steps.")
    step_size: float | None = Field(
        default=None, gt=0, description="Each step of `pgd` is this long, in the units of `epsilon`. If it is null, it is 2.5 · ε / steps."
    )
    random_start: bool = Field(default=False, description="If it is true, `pgd` starts at a random place within `epsilon` of the photo.")
    seed: int = Field(default=0, ge=0, lt=2**31, description="This is the seed of the random start.")
    top: int = Field(default=5, ge=1, le=100, description="The facts list this many classes, and the picture the scores of up to 5.")
    attribution: str = Field(default="grad_cam", min_length=1, max_length=64, description=f"The heat is made by this method. {ATTRIBUTION}")
    options: AttributionOptions | None = Field(
        default=None,
        description=(
            "These are the parameters of that method, as /v1/methods describes them. Parameters that are left out have their defaults. "
            f"{', '.join(TAKEN)} are not allowed here."
        ),
        examples=[{"layer": None}],
    )
    annotate: bool = Field(
        default=True,
        description=(
            "If it is true, the scale of its colours stands beside each heat, and the scores before and after between the heats. If it is "
            "false, the picture has neither."
        ),
    )

    @field_validator("options")
    @classmethod
    def _none_taken(cls, options: AttributionOptions | None) -> AttributionOptions | None:
        check_not_taken(options or {})
        return options

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Adversarial:
        classes = class_output(model, None).classes or 0
        target = None if self.target_class is None else model.class_index_of(self.target_class, "/params/target_class")
        if classes < 2:
            raise InvalidParameters(
                f"Model '{model.description.name}' has one class, so there is no other answer.", pointer="/model", got=str(classes)
            )
        options = completed_options(self.attribution_params(None), model, limits, "/params/options", 2)
        size = self.step_size or (2.5 * self.epsilon / self.steps if self.attack == "pgd" else None)
        return self.changed(target_class=target, options=options, step_size=size, top=min(self.top, classes))

    def attribution_params(self, class_index: int | None) -> MethodParams:
        """Return the parameters of the attribution method for a class, if its map depends on one. None stands for the top class."""
        own = {"class_index": class_index, "input": self.input, "bands": self.bands, "fit": self.fit, "annotate": False}
        return photo_attribution(self.attribution, self.options or {}, own, "/params/options")
