"""Merge what was found in each frame of an animation into the output of one job."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from schemas.methods.base import MethodParams
from schemas.methods.facts import ExplainedFacts, Facts
from schemas.methods.frames import ANIMATION, AnimatedFacts, AnimationFacts, ClassFrom, ExplainedFrame
from schemas.methods.target_class import TargetClassParams
from workers.contract.artifacts import Animation, Array, DrawnArtifact, Output, Picture, PictureOfArrays
from workers.contract.progress import Slice
from workers.execution.loaded_inputs import Frame


def params_of_later_frames(params: MethodParams, first: Facts) -> MethodParams:
    """Return the parameters for all frames but the first: they explain the class that was explained in the first frame."""
    if isinstance(params, TargetClassParams) and isinstance(first, ExplainedFacts) and first.class_index is not None:
        return params.changed(class_index=first.class_index)
    return params


def slices_of_frame(on_slice: Callable[[Slice], None], number: int, count: int) -> Callable[[Slice], None]:
    """Return what is called after each slice of frame `number` of `count`, so that the progress is that of all frames."""
    return lambda made: on_slice(replace(made, step=made.step + number * made.total, total=made.total * count))


def merged(outputs: Sequence[Output], frames: Sequence[Frame], params: MethodParams) -> Output:
    """Return the output of a job on an animation.

    Its pictures are those of the first frame, the primary pictures of all frames also make an animation, and its arrays have an axis for
    the frames in front. The facts are those of the first frame, and name all frames.

    Args:
        outputs: the output of each frame. They have the same artifacts with the same shapes.
        frames: the frames.
        params: the resolved parameters of the job.

    Raises:
        TypeError: the method's facts have no place for the frames.
    """
    first = outputs[0]
    if not isinstance(first.facts, AnimatedFacts):
        raise TypeError(f"the facts {type(first.facts).__name__} have no place for the frames of an animation")
    explained = tuple(_explained(output.facts, frame) for output, frame in zip(outputs, frames, strict=True))
    facts = first.facts.model_copy(update={"animation": AnimationFacts(class_from=_class_from(params, first.facts), frames=explained)})
    return Output(tuple(_artifacts(outputs, frames)), facts, tuple(_warnings(outputs, frames)))


def _artifacts(outputs: Sequence[Output], frames: Sequence[Frame]) -> Iterator[DrawnArtifact]:
    arrays = {each.name: each.array for each in outputs[0].artifacts if isinstance(each, Array)}
    for of_frames in zip(*(output.artifacts for output in outputs), strict=True):
        match of_frames[0]:
            case Array() as first:
                yield replace(first, array=np.stack([each.array for each in of_frames if isinstance(each, Array)]))
            case PictureOfArrays() as first:  # it cannot be drawn later, because the arrays of the job hold all frames
                yield Picture(first.name, first.drawing.draw(arrays, frames[0].prepared.photo.image))
            case Picture() as first:
                yield Picture(first.name, first.image, first.primary)
                if first.primary:
                    images = np.stack([each.image for each in of_frames if isinstance(each, Picture)])
                    yield Animation(ANIMATION.name, images, tuple(frame.milliseconds for frame in frames))
            case other:
                yield other


def _explained(facts: Facts, frame: Frame) -> ExplainedFrame:
    if not isinstance(facts, AnimatedFacts):
        raise TypeError(f"the facts {type(facts).__name__} have no place for the frames of an animation")
    return ExplainedFrame(number=frame.number, milliseconds=frame.milliseconds, classes=facts.classes, value=facts.value)


def _class_from(params: MethodParams, facts: AnimatedFacts) -> ClassFrom | None:
    if facts.class_index is None:
        return None
    if not isinstance(params, TargetClassParams):
        return "each_frame"
    return "first_frame" if params.class_index is None else "request"


def _warnings(outputs: Sequence[Output], frames: Sequence[Frame]) -> Iterator[str]:
    """Yield each warning once. A warning that not all frames have says which of them have it."""
    numbers: dict[str, list[int]] = {}
    for output, frame in zip(outputs, frames, strict=True):
        for warning in dict.fromkeys(output.warnings):
            numbers.setdefault(warning, []).append(frame.number)
    for warning, having in numbers.items():
        yield warning if len(having) == len(frames) else f"Frame {', '.join(map(str, having))}: {warning}"
