"""Turn the states of a running ascent or dream into slices, with a preview about once a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import TypeVar

from workers.contract.arrays import UInt8
from workers.contract.progress import Slice

PREVIEW_SECONDS = 1.0

RunState = TypeVar("RunState")


def slices_with_previews(
    states: Generator[RunState, None, RunState],
    preview: Callable[[RunState], UInt8],
    to_slice: Callable[[RunState, UInt8 | None], Slice],
) -> Generator[Slice, None, RunState]:
    """Yield a slice for each state, and return the last state, for which there is no slice.

    Args:
        states: What the engine yields and returns.
        preview: Draws a state as a small picture (H, W, 3), uint8 RGB. It is called about once a second.
        to_slice: Makes the slice of a state and its preview, which is None most of the time.
    """
    drawn = time.monotonic()
    while True:
        try:
            state = next(states)
        except StopIteration as stop:
            return stop.value
        picture = None
        if time.monotonic() - drawn >= PREVIEW_SECONDS:
            picture, drawn = preview(state), time.monotonic()
        yield to_slice(state, picture)
