"""Check that no file and no function is too long. Run it as `python -m tests.gates.size`.

A file's size is the number of its lines, of any kind. A function's size is the number of lines from its first decorator, or else from
its `def`, to the last line of its body. Docstrings, comments and blank lines count, and so does a function inside the function.
Python and Lua files are checked, and the functions of Python files. `[tool.gates.size]` in pyproject.toml holds the limits and the
exceptions, each with its reason. An exception that is no longer needed is an error too.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from tests.gates.source_files import ROOT, gate_settings, source_files


class MeasuredPart(NamedTuple):
    """A file (`jobstore/queue.py`) or a function (`jobstore/queue.py::Queue.claim`), its lines, and the lines it may have."""

    name: str
    lines: int
    limit: int


def measured_parts(root: Path, settings: Mapping[str, Any]) -> Iterator[MeasuredPart]:
    """Yield every file and every function under `root` with its size."""
    for path in source_files(root, settings["folders"], ".py", ".lua"):
        name, text = path.relative_to(root).as_posix(), path.read_text("utf-8")
        yield MeasuredPart(name, len(text.splitlines()), settings["file_lines"])
        if path.suffix == ".py":
            for function, lines in function_sizes(ast.parse(text)):
                yield MeasuredPart(f"{name}::{function}", lines, settings["function_lines"])


def function_sizes(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Yield the qualified name and the number of lines of each function in a syntax tree."""
    for node in ast.iter_child_nodes(tree):
        inside = prefix
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            inside = f"{prefix}{node.name}."
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield prefix + node.name, (node.end_lineno or first) - first + 1
        yield from function_sizes(node, inside)


def problems(root: Path, settings: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each part that is too long without an exception, and for each exception that is not needed."""
    exceptions: Mapping[str, str] = settings["exceptions"]
    too_long = {part.name: part for part in measured_parts(root, settings) if part.lines > part.limit}
    found = [
        f"{part.name} has {part.lines} lines. At most {part.limit} are allowed."
        for part in too_long.values()
        if not exceptions.get(part.name, "").strip()
    ]
    found += [f"{name} is listed as an exception but is not too long. Remove it." for name in exceptions if name not in too_long]
    return found


def main() -> None:
    found = problems(ROOT, gate_settings("size"))
    advice = "Split what is too long, or list it in pyproject.toml under [tool.gates.size.exceptions] with a reason."
    if found:
        sys.exit("\n".join([*found, advice]))


if __name__ == "__main__":
    main()
