from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.faults.stack import WorkerStack


@pytest.fixture
async def make_stack(tmp_path: Path) -> AsyncIterator[Callable[..., WorkerStack]]:
    made: list[WorkerStack] = []

    def _make(program: str = "workers", **settings: object) -> WorkerStack:
        made.append(WorkerStack(tmp_path, program, **settings))
        made[-1].start_workers()
        return made[-1]

    yield _make
    for stack in made:
        await stack.close()
        if stack.log.exists():
            sys.stdout.write(stack.log.read_text()[-20_000:])  # shown where the test failed
