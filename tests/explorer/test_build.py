"""The service ships what the source in `explorer/` builds, and the source is sound."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.explorer.tools import ROOT, SOURCE, node

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("packages")]


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_page_in_the_package_is_the_one_that_the_source_builds(tmp_path: Path) -> None:
    node("build.mjs", tmp_path)
    built, shipped = files_of(tmp_path), files_of(ROOT / "service" / "explorer_page")
    assert sorted(built) == sorted(shipped), "Run `make explorer` and commit service/explorer_page."
    assert built == shipped, "Run `make explorer` and commit service/explorer_page."


@pytest.mark.parametrize("project", ["tsconfig.json", "tsconfig.tests.json"])
def test_the_types_are_right(project: str) -> None:
    node("node_modules/typescript/bin/tsc", "--noEmit", "-p", project)


def test_the_functions_that_draw_and_write_are_right(tmp_path: Path) -> None:
    tests = sorted((SOURCE / "tests").glob("*.test.ts"))
    assert len(tests) >= 2
    options = ["--bundle", "--platform=node", "--format=esm", f"--outdir={tmp_path}", "--out-extension:.js=.mjs"]
    node("node_modules/esbuild/bin/esbuild", *tests, *options)
    bundles = sorted(tmp_path.glob("*.mjs"))
    assert len(bundles) == len(tests)
    assert "# fail 0" in node("--test", "--test-reporter=tap", *bundles)


def test_no_source_file_is_too_long() -> None:
    long = {path.name: lines for path in SOURCE.glob("src/**/*.ts*") if (lines := len(path.read_text("utf-8").splitlines())) > 250}
    assert long == {}
