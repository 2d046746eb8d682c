"""Read a Keras model file in a child process that has no network, and that is bounded in memory and time."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from workers.models.guards.refusal import FileLimits
from workers.models.limits import ModelLimits
from workers.models.reading.confined_child import program_of, read_in_child
from workers.models.reading.stored_model import StoredModel

_PROGRAM = program_of("workers.models.reading.reading_process")


@contextmanager
def read_model_file(path: Path, limits: ModelLimits) -> Iterator[StoredModel]:
    """Give the checked contents of a model file: a `.keras` archive, or else an HDF5 file.

    The contents are valid within the context. The values lie in a temporary file without a name, which then goes.

    Raises:
        ModelLoadFailed: the file is missing, is damaged, is beyond a limit, or ends the process that reads it.
        ModelLoadInterrupted: the reading took too long, or there was no memory or no disk for it.
        InternalError: the process could not be started.
    """
    question = {
        "archive": path.suffix.lower() == ".keras",
        "limits": FileLimits(limits.max_file_bytes, limits.max_expanded_bytes, limits.max_config_bytes),
    }
    with ExitStack() as files:
        reading = read_in_child(_PROGRAM, path, limits, question, written=2, files=files)
        answer, arrays = reading.answer, reading.files[0]
        values: Any = b""
        if os.fstat(arrays.fileno()).st_size:
            values = mmap.mmap(arrays.fileno(), 0, access=mmap.ACCESS_READ)
        yield StoredModel(answer["config"], answer["keras_version"], answer["weights"], memoryview(values))
