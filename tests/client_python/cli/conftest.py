"""Run the program `convscope-client` as a user does, against the service with a worker whose results the tests know."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.service.fake_worker import png

ROOT = Path(__file__).parents[3]


class Ended(NamedTuple):
    """The exit status of the program, and the text that it wrote."""

    status: int
    stdout: str
    stderr: str


Program = Callable[..., Awaitable[Ended]]


@pytest.fixture
def start(url: str, tmp_path: Path) -> Callable[..., Awaitable[asyncio.subprocess.Process]]:
    """Return a function that starts the program in the folder of the test."""
    environment = {**os.environ, "CONVSCOPE_URL": url, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'client' / 'python'}", "COLUMNS": "200"}
    pipe = asyncio.subprocess.PIPE

    def start(*arguments: str) -> Awaitable[asyncio.subprocess.Process]:
        command = [sys.executable, "-W", "error", "-m", "convscope.cli.program", *arguments]
        return asyncio.create_subprocess_exec(*command, cwd=tmp_path, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)

    return start


@pytest.fixture
def program(start: Callable[..., Awaitable[asyncio.subprocess.Process]]) -> Program:
    """Return a function that runs the program to its end."""

    async def run(*arguments: str, stdin: str = "") -> Ended:
        process = await start(*arguments)
        stdout, stderr = await process.communicate(stdin.encode())
        assert process.returncode is not None
        return Ended(process.returncode, stdout.decode(), stderr.decode())

    return run


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Return a folder with two photos of one name in two folders, and a file that is no photo."""
    folder = tmp_path / "photos"
    for number, name in enumerate(("a/1.png", "b/1.png")):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_bytes(png(seed=number))
    (folder / "bad.jpg").write_bytes(b"no image")
    return folder


def rows(path: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of a manifest by the place of their photo. Each place must occur once."""
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert len({row["output"] for row in found}) == len(found)
    return {row["output"]: row for row in found}
