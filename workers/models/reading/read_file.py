"""Read a model file in a child process that has no network, and that is bounded in memory and time."""

from __future__ import annotations

import json
import mmap
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from schemas.errors import InternalError, ModelLoadFailed, ModelLoadInterrupted
from workers.models.guards.refusal import FileLimits
from workers.models.limits import ModelLimits
from workers.models.reading.stored_model import StoredModel

_ROOT = Path(__file__).resolve().parents[3]
# -I keeps the working directory and the environment from deciding what the child imports.
_PROGRAM = f"import sys; sys.path.insert(0, {str(_ROOT)!r}); from workers.models.reading.reading_process import main; main()"
_WALL_SECONDS_PER_CPU_SECOND = 2
_MAX_ANSWER_BYTES = 256 * 2**20


@contextmanager
def read_model_file(path: Path, limits: ModelLimits) -> Iterator[StoredModel]:
    """Give the checked contents of a model file: a `.keras` archive, or else an HDF5 file.

    The contents are valid within the context. The values lie in a temporary file without a name, which then goes.

    Raises:
        ModelLoadFailed: the file is missing, is damaged, is beyond a limit, or ends the process that reads it.
        ModelLoadInterrupted: the reading took too long, or there was no memory or no disk for it.
        InternalError: the process could not be started.
    """
    with ExitStack() as files:
        source = files.enter_context(_opened(path))
        arrays, spool, answers = (files.enter_context(_temporary_file(path)) for _ in range(3))
        for attempt in (1, 2):  # the kernel may have killed the process for another one's sake, so there is a second attempt
            status = _run(path, limits, source, arrays, spool, answers)
            if status != -signal.SIGKILL or attempt == 2:
                break
        answer = _answer(path, status, answers, limits)
        values: Any = b""
        if os.fstat(arrays.fileno()).st_size:
            values = mmap.mmap(arrays.fileno(), 0, access=mmap.ACCESS_READ)
        yield StoredModel(answer["config"], answer["keras_version"], answer["weights"], memoryview(values))


def _opened(path: Path) -> IO[bytes]:
    try:
        # Without O_NONBLOCK, the call would wait for ever on a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise ModelLoadFailed(f"The file '{path.name}' is not in the models folder.") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ModelLoadFailed(f"'{path.name}' is not a file.")
    return os.fdopen(descriptor, "rb")


def _temporary_file(path: Path) -> IO[bytes]:
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise ModelLoadInterrupted(
            f"'{path.name}' could not be read, because no temporary file could be made: {error.strerror}."
        ) from error


def _run(path: Path, limits: ModelLimits, *files: IO[bytes]) -> int:
    """Run the child process to its end, and return its exit status. Its files are emptied before, except for the first."""
    for file in files[1:]:
        file.seek(0)
        file.truncate()
    files[0].seek(0)
    seconds = limits.load_timeout
    question = {
        "archive": path.suffix.lower() == ".keras",
        "limits": FileLimits(limits.max_file_bytes, limits.max_expanded_bytes, limits.max_config_bytes),
        "memory_bytes": limits.load_memory_bytes,
        "cpu_seconds": max(1, round(seconds)),
        "file_bytes": max(limits.max_expanded_bytes, limits.max_file_bytes, _MAX_ANSWER_BYTES),
    }
    numbers = [file.fileno() for file in files]
    command = [sys.executable, "-I", "-c", _PROGRAM, *map(str, numbers), str(os.getpid()), json.dumps(question)]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(command, pass_fds=numbers, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=environment)  # noqa: S603 - the command holds nothing that a caller sent
    try:
        return process.wait(_WALL_SECONDS_PER_CPU_SECOND * seconds)
    except subprocess.TimeoutExpired:
        raise ModelLoadInterrupted(
            f"Reading '{path.name}' took more than {_WALL_SECONDS_PER_CPU_SECOND * seconds:g} s and was stopped."
        ) from None
    finally:
        process.kill()
        process.wait()


def _answer(path: Path, status: int, answers: IO[bytes], limits: ModelLimits) -> dict[str, Any]:
    if status == -signal.SIGXCPU:
        raise ModelLoadFailed(
            f"Reading '{path.name}' took more than {limits.load_timeout:g} s of processor time and was stopped (CONVSCOPE_LOAD_TIMEOUT)."
        )
    if status == -signal.SIGKILL:
        raise ModelLoadInterrupted(f"The process that read '{path.name}' was killed twice. The machine may be short of memory.")
    if status < 0:
        raise ModelLoadFailed(
            f"Reading '{path.name}' ended the process that read it ({signal.Signals(-status).name}), so the file is refused."
        )
    if status > 0:
        raise InternalError(f"The process that reads model files could not be started (exit status {status}).")
    answers.seek(0)
    answer = json.loads(answers.read(_MAX_ANSWER_BYTES))
    if failure := answer.get("failed"):
        raise ModelLoadInterrupted(f"'{path.name}' could not be read: {failure}")
    if refused := answer.get("refused"):
        allowed, got = (None if refused.get(key) is None else str(refused[key]) for key in ("allowed", "got"))
        raise ModelLoadFailed(f"'{path.name}' {refused['detail']}", allowed=allowed, got=got)
    return answer
