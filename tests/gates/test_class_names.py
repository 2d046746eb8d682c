from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.gates.class_names import class_names, problems


def _settings(**exceptions: str) -> dict[str, object]:
    return {"folders": ["room"], "exceptions": exceptions}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "room").mkdir()
    (tmp_path / "room" / "one.py").write_text("class Device: ...\n\n\nclass _Slot: ...\n")
    (tmp_path / "room" / "two.py").write_text("class _Slot: ...\n\n\nDevice = Literal['cpu', 'gpu']\n")
    return tmp_path


def test_classes_and_type_aliases_at_the_top_of_a_module_count() -> None:
    module = """
class Device:
    class Inside: ...

Size: TypeAlias = "tuple[int, int]"
Host = Annotated[str, 1]
Answer = int | None
LIMITS = TABLE["limits"]
names = list[str]
T = TypeVar("T")
"""
    assert list(class_names(ast.parse(module))) == ["Device", "Size", "Host", "Answer"]


def test_a_name_of_two_modules_is_named(root: Path) -> None:
    assert problems(root, _settings()) == [
        "Device is defined in 2 places: room/one.py, room/two.py.",
        "_Slot is defined in 2 places: room/one.py, room/two.py.",
    ]


def test_an_exception_needs_a_reason(root: Path) -> None:
    assert problems(root, _settings(Device="It is a test.", _Slot="")) == ["_Slot is defined in 2 places: room/one.py, room/two.py."]


def test_an_exception_that_is_not_needed_is_named(root: Path) -> None:
    (root / "room" / "two.py").unlink()
    assert problems(root, _settings(Device="It was used twice.")) == [
        "Device is listed as an exception but is defined once at most. Remove it."
    ]
