"""The parameter of methods that explain the frames of an animation, and the facts about these frames."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from schemas.errors import InvalidParameters, LimitExceeded
from schemas.limits import MethodLimits
from schemas.methods.base import MethodParams
from schemas.methods.card import ArtifactSpec
from schemas.methods.facts import ExplainedClassesFacts, Prediction
from schemas.methods.target_class import TargetClassParams
from schemas.models import PublishedModel

ClassFrom = Literal["request", "first_frame", "each_frame"]

ANIMATION = ArtifactSpec(
    "animation",
    "animation",
    "This is the primary picture of each frame, shown for the frame's own time. It is made only if `frames` is given. The pictures then "
    "show the first frame, and the arrays have an axis for the frames in front: `map` is (n, h, w).",
    optional=True,
)


class ExplainedFrame(BaseModel):
    """One frame of an animation that was explained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int = Field(description="This is the number of the frame in the file. The first frame is 0.")
    milliseconds: int = Field(description="The frame is shown for this time, which is until the next frame that was explained.")
    classes: tuple[Prediction, ...] = Field(description="This is the class with its scores for this frame. It is empty for another target.")
    value: float | None = Field(description="This is the value of the target for this frame. It is null for a class.")


class AnimationFacts(BaseModel):
    """The frames of an animation that were explained."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    class_from: ClassFrom | None = Field(
        description="It says where the explained class comes from: the `request`, or the `first_frame`, whose top class is explained in "
        "all frames. `each_frame` means that the method explains no class, and names the top class of each frame. It is null for another "
        "target."
    )
    frames: tuple[ExplainedFrame, ...] = Field(description="These are the frames, in the order of the maps.")


class AnimatedFacts(ExplainedClassesFacts):
    """The classes that are explained, and the frames of an animation if there are any."""

    animation: AnimationFacts | None = Field(
        default=None, description="These are the frames that were explained. It is null if `frames` was not given."
    )


class FramesParams(MethodParams):
    """Parameters of a method that can explain each frame of an animation. Its facts are `AnimatedFacts`."""

    frames: int | None = Field(
        default=None,
        ge=1,
        description=(
            "At most this many frames of an animated GIF, WebP, PNG or AVIF file are explained, evenly spaced over all of its frames. The "
            "primary pictures are then also an animation, and the arrays have an axis for the frames in front. The top class of the first "
            "frame is explained in all frames, unless a class or another target is given. A still image has one frame. If it is null, the "
            "first frame alone is explained, as a still image."
        ),
    )

    def resolve(self, model: PublishedModel, limits: MethodLimits) -> Self:
        resolved = super().resolve(model, limits)
        self.check_frames(resolved, limits)
        return resolved

    @property
    def frame_count(self) -> int:
        """The largest number of frames that are explained. It is 1 for a still image."""
        return self.frames or 1

    def check_frames(self, resolved: MethodParams, limits: MethodLimits) -> None:
        """Check the number of frames, and that the resolved parameters explain one class.

        Raises:
            LimitExceeded: there are more frames than one job may explain.
            InvalidParameters: the parameters ask for a list of classes.
        """
        if self.frames is None:
            return
        if self.frames > limits.max_frames:
            raise LimitExceeded(
                f"One job explains at most {limits.max_frames} frames, got {self.frames}.",
                pointer="/params/frames",
                allowed=f"at most {limits.max_frames}",
                got=str(self.frames),
            )
        if isinstance(resolved, TargetClassParams) and isinstance(resolved.class_index, tuple):
            raise InvalidParameters(
                "A job with frames explains one class in each frame, so give one class and not a list, or leave frames out.",
                pointer="/params/class_index" if getattr(self, "target", None) is None else "/params/target/class",
                allowed="one class",
                got="a list",
            )
