"""Find the source files and the settings of the gates."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def gate_settings(name: str, root: Path = ROOT) -> Mapping[str, Any]:
    """Return the table `[tool.gates.NAME]` of pyproject.toml."""
    settings: Mapping[str, Any] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["tool"]["gates"][name]
    return settings


def source_files(root: Path, folders: list[str], *suffixes: str) -> Iterator[Path]:
    """Yield the files with one of these suffixes under the folders of `root`, sorted by path."""
    for folder in folders:
        yield from sorted(path for path in (root / folder).rglob("*") if path.suffix in suffixes)
