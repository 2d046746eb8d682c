"""The documents are true: their links, their paths, their index and the example of their guide."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from cli import errors_section, method_page
from schemas.error_causes import ERROR_CAUSES
from schemas.errors import VisualizationError
from schemas.jobs import ErrorCode
from schemas.methods import METHODS

_ROOT = Path(__file__).parents[2]
_COPIED = ("schemas", "catalog", "processes", "telemetry", "jobstore", "service", "workers", "cli", "tests")


@pytest.mark.slow
def test_the_method_that_the_guide_adds_passes_the_contract_test(tmp_path: Path) -> None:
    guide = (_ROOT / "docs" / "adding-a-method.md").read_text("utf-8")
    files = re.findall(r"^## \d\. \w+: `(\S+)`\n\n```python\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    assert [name for name, _ in files] == ["schemas/methods/cam/attention_map.py", "workers/methods/cam/attention_map.py"]
    for folder in _COPIED:
        shutil.copytree(_ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(_ROOT / "pyproject.toml", tmp_path)
    for name, text in files:
        (tmp_path / name).write_text(text, "utf-8")
        lint = subprocess.run([sys.executable, "-m", "ruff", "check", name], check=False, cwd=tmp_path, capture_output=True, text=True)
        assert lint.returncode == 0, lint.stdout
    command = [sys.executable, "-m", "pytest", "tests/contract", "-q", "-k", "attention_map", "-p", "no:cacheprovider"]
    run = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=150)
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"\b\d+ passed", run.stdout)


_DOCUMENTS = [*_ROOT.glob("*.md"), *(_ROOT / "docs").rglob("*.md")]


def test_every_link_and_picture_of_the_documents_is_there() -> None:
    for document in _DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)|src=\"([^\":]+)\"", document.read_text("utf-8")):
            assert (document.parent / "".join(target)).exists(), f"{document.name} names {target}"


def test_every_error_is_explained_and_the_page_of_http_says_the_same() -> None:
    codes = {error.code for error in VisualizationError.__subclasses__()}
    assert set(ERROR_CAUSES) == codes, "schemas/error_causes explains every code of schemas/errors.py once"
    assert set(get_args(ErrorCode)) <= codes
    page = errors_section.PAGE.read_text("utf-8")
    assert page == errors_section.written(page), "run `make settings`"


@pytest.mark.parametrize("method", METHODS)
def test_every_page_of_a_method_says_what_the_code_says(method: str) -> None:
    page = (method_page.PAGES / f"{method}.md").read_text("utf-8")
    assert page == method_page.written(page, method), "run `make settings`"


def test_the_list_of_methods_says_what_the_code_says() -> None:
    assert (method_page.PAGES / "README.md").read_text("utf-8") == method_page.methods_index(), "run `make settings`"


def test_every_path_that_the_architecture_names_is_there() -> None:
    text = (_ROOT / "docs" / "architecture.md").read_text("utf-8")
    paths = {path for path in re.findall(r"`([a-z_]+/[\w/.<>]*)`", text) if "<" not in path}
    assert len(paths) > 20
    assert not sorted(path for path in paths if not (_ROOT / path).exists())


def test_every_decision_is_in_the_index() -> None:
    folder = _ROOT / "docs" / "decisions"
    records = sorted(folder.glob("[0-9]*.md"))
    numbers = [record.name[:4] for record in records]
    assert len(numbers) == len(set(numbers)), "two records have the same number"
    index = (folder / "README.md").read_text("utf-8")
    for record in records:
        title, *_ = record.read_text("utf-8").removeprefix("# ").split("\n")
        assert f"| {record.name[:4]} | [{title}]({record.name}) |" in index
        for heading in ("**Question.**", "**Choice.**", "**What would change it.**"):
            assert heading in record.read_text("utf-8"), f"{record.name} lacks {heading}"
