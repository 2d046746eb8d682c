"""Send a model file to the service a piece at a time, so that it need not fit into memory."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from pathlib import Path

_PIECE = 1024**2  # bytes
CHECK_SECONDS = 330.0  # a little longer than the service waits for a worker that checks a model (CONVSCOPE_MODEL_CHECK_WAIT)


def name_of_model(path: str | os.PathLike[str]) -> str:
    """Return the name under which a model file is uploaded if the caller gives none: that of the file without its suffix."""
    return Path(path).stem


async def pieces_of(path: str | os.PathLike[str]) -> AsyncGenerator[bytes]:
    """Yield the bytes of a file."""
    file = await asyncio.to_thread(Path(path).open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece
    finally:
        file.close()
