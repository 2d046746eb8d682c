"""The process of a family of libraries, seen from the program that compares them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class PeerFamily:
    """Libraries that run in one process, because they share a framework and its settings.

    Args:
        name: the name of the process in messages.
        modules: the modules of `benchmarks.peers` that register the implementations.
        environment: the variables that the process needs.
    """

    name: str
    modules: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict[str, str])


FAMILIES = (
    PeerFamily("convscope", ("convscope_engine", "convolutions_alone")),
    PeerFamily("keras.io", ("keras_three",)),
    PeerFamily("legacy Keras", ("legacy_keras",), {"TF_USE_LEGACY_KERAS": "1"}),
    PeerFamily("torch", ("torch_family", "torch_by_hand"), {"KERAS_BACKEND": "torch"}),
)
"""All families. The first one gives the others their weights and photos."""


class ImplementationFailed(Exception):
    """An implementation has raised an error. The message is the error's."""


class FamilyProcess:
    """A running process that times the calls of one family.

    Args:
        family: its name and the modules of `benchmarks.peers` that register its implementations.
        folder: what all processes are given. The process's stderr goes to a file in it.
    """

    def __init__(self, family: PeerFamily, folder: Path) -> None:
        self._log = folder / f"{family.name}.log"
        command = [sys.executable, "-m", "benchmarks.peers.player", str(folder), *family.modules]
        with self._log.open("w", encoding="utf-8") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the command is fixed
                command,
                cwd=_ROOT,
                env={**os.environ, **family.environment},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.name = family.name

    def ask(self, *request: object) -> Any:
        """Send a request of `benchmarks.peers.player`, and return its answer.

        Raises:
            ImplementationFailed: the request has failed.
            SystemExit: the process has ended. The end of its log is the message.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            print(json.dumps(request), file=self._process.stdin, flush=True)
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._process.wait()
            raise SystemExit(f"{self.name} has failed at {request}:\n" + self._log.read_text("utf-8")[-3000:])
        answer = json.loads(line)
        if isinstance(answer, dict) and "error" in answer:
            raise ImplementationFailed(str(answer["error"]))
        return answer

    def end(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.communicate()
