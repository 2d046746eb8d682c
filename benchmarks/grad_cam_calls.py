"""One-line Grad-CAM calls for photos, of which each must be answered with a picture."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.engine_alone import MODEL
from benchmarks.light_caller import Answered, call_all, one_line_call


async def grad_cams(url: str, photos: Sequence[bytes], callers: int) -> list[Answered]:
    """Ask for the Grad-CAM of each photo, `callers` of them at the same time, and return the answers in the order in which they came.

    Raises:
        SystemExit: the service has answered with another status than 200.
    """
    answers = await call_all(url, [one_line_call(url, "grad_cam", {"model": MODEL}, photo) for photo in photos], callers)
    if wrong := {answer.status for answer in answers} - {200}:
        raise SystemExit(f"The service has answered {wrong}.")
    return answers
