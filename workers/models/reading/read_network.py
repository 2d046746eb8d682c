"""Read an ONNX or TFLite file in a child process that has no network, and that is bounded in memory and time."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Literal

from workers.models.limits import ModelLimits
from workers.models.reading.confined_child import program_of, read_in_child
from workers.models.reading.network_file import NetworkFile

_PROGRAM = program_of("workers.models.reading.network_process")


def read_network_file(path: Path, kind: Literal["onnx", "tflite"], limits: ModelLimits) -> tuple[bytes, NetworkFile]:
    """Return the content that is to be run, which the child process has run once, and what is known of it.

    Raises:
        ModelLoadFailed: the file is missing, is damaged, is beyond a limit, cannot be run, or ends the process that reads it.
        ModelLoadInterrupted: the reading took too long, or there was no memory or no disk for it.
        InternalError: the process could not be started.
    """
    question = {"kind": kind, "file": path.name, "limits": limits.model_dump_json()}
    with ExitStack() as files:
        reading = read_in_child(_PROGRAM, path, limits, question, written=1, files=files)
        content = reading.files[0]
        content.seek(0)
        return content.read(), NetworkFile.model_validate(reading.answer)
