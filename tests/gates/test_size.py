from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.gates.size import function_sizes, problems

_MODULE = '''
import functools


class Shape:
    @functools.cached_property
    @functools.cache
    def area(self):
        """Return the area."""

        # A comment counts.
        def inner():
            return 1

        return inner()


async def alone(): ...
'''


def _settings(**exceptions: str) -> dict[str, object]:
    return {"folders": ["room"], "file_lines": 17, "function_lines": 9, "exceptions": exceptions}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "room" / "inside").mkdir(parents=True)
    (tmp_path / "room" / "inside" / "shape.py").write_text(_MODULE)
    return tmp_path


def test_a_function_counts_from_its_first_decorator_to_its_last_line() -> None:
    assert dict(function_sizes(ast.parse(_MODULE))) == {"Shape.area": 10, "Shape.area.inner": 2, "alone": 1}


def test_what_is_too_long_is_named_with_its_size(root: Path) -> None:
    assert problems(root, _settings()) == [
        "room/inside/shape.py has 18 lines. At most 17 are allowed.",
        "room/inside/shape.py::Shape.area has 10 lines. At most 9 are allowed.",
    ]


def test_lua_files_are_measured(root: Path) -> None:
    (root / "room" / "script.lua").write_text("return 1\n" * 18)
    assert "room/script.lua has 18 lines. At most 17 are allowed." in problems(root, _settings())


def test_an_exception_needs_a_reason(root: Path) -> None:
    excused = {"room/inside/shape.py": "It is a test.", "room/inside/shape.py::Shape.area": " "}
    assert problems(root, _settings(**excused)) == ["room/inside/shape.py::Shape.area has 10 lines. At most 9 are allowed."]


def test_an_exception_that_is_not_needed_is_named(root: Path) -> None:
    (root / "room" / "inside" / "shape.py").write_text("area = 1\n")
    assert problems(root, _settings(**{"room/inside/shape.py": "It was long."})) == [
        "room/inside/shape.py is listed as an exception but is not too long. Remove it."
    ]
