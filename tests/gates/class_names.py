"""Check that every class has a name of its own. Run it as `python -m tests.gates.class_names`.

Classes and type aliases at the top of a module count, private ones too. `[tool.gates.class_names]` in pyproject.toml names the folders
and lists the exceptions, each with its reason. An exception that is no longer needed is an error too.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.gates.source_files import ROOT, gate_settings, source_files

_CLASS_LIKE = re.compile(r"_?[A-Z]\w*[a-z]\w*")  # an alias in capitals would be a constant


def class_names(tree: ast.Module) -> Iterator[str]:
    """Yield the names of the classes and type aliases at the top of a module."""
    for node in tree.body:
        match node:
            case ast.ClassDef(name=name):
                yield name
            case (
                ast.AnnAssign(target=ast.Name(id=name), annotation=ast.Name(id="TypeAlias"))
                | ast.Assign(targets=[ast.Name(id=name)], value=ast.Subscript() | ast.BinOp(op=ast.BitOr()))
            ) if _CLASS_LIKE.fullmatch(name):
                yield name
            case _:
                pass


def problems(root: Path, settings: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each name that several modules use without an exception, and for each exception that is not needed."""
    modules: dict[str, list[str]] = {}
    for path in source_files(root, settings["folders"], ".py"):
        for name in class_names(ast.parse(path.read_text("utf-8"))):
            modules.setdefault(name, []).append(path.relative_to(root).as_posix())
    exceptions: Mapping[str, str] = settings["exceptions"]
    shared = {name: paths for name, paths in modules.items() if len(paths) > 1}
    found = [
        f"{name} is defined in {len(paths)} places: {', '.join(paths)}."
        for name, paths in shared.items()
        if not exceptions.get(name, "").strip()
    ]
    found += [f"{name} is listed as an exception but is defined once at most. Remove it." for name in exceptions if name not in shared]
    return found


def main() -> None:
    found = problems(ROOT, gate_settings("class_names"))
    advice = "Rename all but one, or list the name in pyproject.toml under [tool.gates.class_names.exceptions] with a reason."
    if found:
        sys.exit("\n".join([*found, advice]))


if __name__ == "__main__":
    main()
