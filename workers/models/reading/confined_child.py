"""Run a program that reads a model file in a child process that has no network, and that is bounded in memory and time."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from schemas.errors import InternalError, ModelLoadFailed, ModelLoadInterrupted
from telemetry.logs import get_logger
from workers.models.limits import ModelLimits

_ROOT = Path(__file__).resolve().parents[3]
_WALL_SECONDS_PER_CPU_SECOND = 2
_MAX_ANSWER_BYTES = 256 * 2**20
_LOGGED_BYTES = 8192  # of what the program writes to its stderr, from the end

_log = get_logger(__name__)


def program_of(module: str) -> str:
    """Return the program, for `read_in_child`, that is the `main` of a module."""
    return f"import sys; sys.path.insert(0, {str(_ROOT)!r}); from {module} import main; main()"


def read_in_child(program: str, path: Path, limits: ModelLimits, question: Mapping[str, Any], *, written: int, files: ExitStack) -> Reading:
    """Read a model file with a program of Python in a child process.

    The program gets the numbers of the open files, the number of this process, and the question in JSON as arguments. The files are the
    model file, `written` temporary files, and the file for the answer, a JSON object. The answer has `refused` (`detail` without
    the file's name or the whole `sentence`, `allowed`, `got`) if the file is refused, and `failed` if it could not be read.

    Args:
        program: the program. It confines itself before it reads anything.
        path: the model file.
        limits: the memory and the time that the program may take are among them.
        question: what the program is to know.
        written: how many temporary files the program gets.
        files: closes the temporary files, which have no names.

    Raises:
        ModelLoadFailed: the file is missing, is damaged, is beyond a limit, or ends the process that reads it.
        ModelLoadInterrupted: the reading took too long, or there was no memory or no disk for it.
        InternalError: the process could not be started.
    """
    source = files.enter_context(_opened(path))
    made = [files.enter_context(_temporary_file(path)) for _ in range(written + 1)]
    said = files.enter_context(_temporary_file(path))
    for attempt in (1, 2):  # the kernel may have killed the process for another one's sake, so there is a second attempt
        try:
            status = _run(program, path, limits, question, [source, *made], said=said)
        finally:
            _log_words(path, said)
        if status != -signal.SIGKILL or attempt == 2:
            break
    return Reading(_answer(path, status, made[-1], limits), made[:-1])


class Reading:
    """Holds the `answer` of a child process that has read a file, and the temporary `files` that it has written."""

    def __init__(self, answer: dict[str, Any], files: list[IO[bytes]]) -> None:
        self.answer, self.files = answer, files


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


def _run(program: str, path: Path, limits: ModelLimits, question: Mapping[str, Any], files: list[IO[bytes]], *, said: IO[bytes]) -> int:
    """Run the child process to its end, and return its exit status. Its files are emptied before, except for the first.

    What it writes to stderr goes to the file `said`.
    """
    for file in files[1:]:
        file.seek(0)
        file.truncate()
    files[0].seek(0)
    seconds = limits.load_timeout
    bounds = {
        "memory_bytes": limits.load_memory_bytes,
        "cpu_seconds": max(1, round(seconds)),
        "file_bytes": max(limits.max_expanded_bytes, limits.max_file_bytes, _MAX_ANSWER_BYTES),
    }
    numbers = [file.fileno() for file in files]
    # -I keeps the working directory and the environment from deciding what the child imports.
    command = [sys.executable, "-I", "-c", program, *map(str, numbers), str(os.getpid()), json.dumps({**question, **bounds})]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    process = subprocess.Popen(  # noqa: S603 - the command holds nothing that a caller sent
        command, pass_fds=numbers, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, env=environment
    )
    try:
        return process.wait(_WALL_SECONDS_PER_CPU_SECOND * seconds)
    except subprocess.TimeoutExpired:
        raise ModelLoadInterrupted(
            f"Reading '{path.name}' took more than {_WALL_SECONDS_PER_CPU_SECOND * seconds:g} s and was stopped."
        ) from None
    finally:
        process.kill()
        process.wait()


def _log_words(path: Path, said: IO[bytes]) -> None:
    """Log the end of what the process wrote to stderr, and empty the file. Names from a model file cannot look like a line of the log."""
    size = said.seek(0, os.SEEK_END)
    said.seek(max(0, size - _LOGGED_BYTES))
    if words := said.read(_LOGGED_BYTES).decode(errors="replace").strip():
        _log.warning("model_reader_said", file=path.name, words=words)
    said.seek(0)
    said.truncate()


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
        raise ModelLoadFailed(refused.get("sentence") or f"'{path.name}' {refused['detail']}", allowed=allowed, got=got)
    return answer
