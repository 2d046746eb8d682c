"""The TypeScript client works with the real service, in Node and in a browser. The tests themselves are in `client/typescript/tests`."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.typescript.browser import CHROMIUM, PageServer, outcomes_in_chromium
from tests.typescript.node import CLIENT, NODE, packages, run_node, script_of

_PHOTO = Path(__file__).parents[2] / "samples" / "cat.jpg"
_SYSTEM_NODE = shutil.which("node")
pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.timeout(600)]


def bundled(entry: str, platform: str, folder: Path) -> Path:
    """Return a file with a program of `client/typescript/tests` and all that it imports."""
    out = folder / f"{entry}.mjs"
    source = CLIENT / "tests" / f"{entry}.ts"
    flags = ("--bundle", "--format=esm", "--target=es2022", f"--platform={platform}", "--log-level=error", f"--outfile={out}")
    run_node(script_of("esbuild", "bin/esbuild"), source, *flags)
    return out


def check(outcomes: dict[str, str | None]) -> None:
    assert len(outcomes) > 20, outcomes
    wrong = {name: outcome for name, outcome in outcomes.items() if outcome is not None}
    assert not wrong, "\n\n".join(f"{name}: {outcome}" for name, outcome in wrong.items())


def test_the_client_and_its_tests_have_right_types() -> None:
    run_node(script_of("typescript", "bin/tsc"), "--noEmit", "--project", "tsconfig.json")


def test_the_examples_of_the_page_have_right_types() -> None:
    page = (_PHOTO.parents[1] / "docs" / "typescript.md").read_text("utf-8")
    examples = re.findall(r"^```ts\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(examples) > 6
    folder = packages() / ".cache" / "examples"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "examples.ts").write_text("\n".join(examples), "utf-8")
    paths = {"paths": {"convscope": [str(CLIENT / "src" / "index.ts")]}, "module": "ESNext", "moduleResolution": "Bundler"}
    options = {"extends": str(CLIENT / "tsconfig.json"), "compilerOptions": paths, "include": ["examples.ts"]}
    (folder / "tsconfig.json").write_text(json.dumps(options), "utf-8")
    run_node(script_of("typescript", "bin/tsc"), "--project", folder / "tsconfig.json")


@pytest.mark.parametrize("node", [pytest.param(NODE, id="own"), pytest.param(_SYSTEM_NODE, id="system")])
def test_in_node(context: dict[str, Any], tmp_path: Path, node: Path | str | None) -> None:
    if node is None:
        pytest.skip("there is no second Node on the PATH")
    given = tmp_path / "context.json"
    given.write_text(json.dumps(context | {"photo": str(_PHOTO)}), "utf-8")
    check(json.loads(run_node(bundled("in_node", "node", tmp_path), given, node=Path(node), timeout=300)))


@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (on Debian: apt-get install chromium)")
def test_in_chromium(context: dict[str, Any], page: PageServer, tmp_path: Path) -> None:
    page.files = {
        "/": ("text/html", b'<!doctype html><meta charset="utf-8"><title>Tests</title><script type="module" src="/tests.mjs"></script>'),
        "/tests.mjs": ("text/javascript", bundled("in_browser", "browser", tmp_path).read_bytes()),
        "/context.json": ("application/json", json.dumps(context).encode()),
        "/photo": ("image/jpeg", _PHOTO.read_bytes()),
    }
    with page.serving():
        check(outcomes_in_chromium(page, tmp_path, 300))


def test_the_package_is_complete(tmp_path: Path) -> None:
    """The package that npm would publish runs with openapi-fetch alone."""
    run_node(script_of("typescript", "bin/tsc"), "--project", "tsconfig.build.json", "--outDir", tmp_path / "dist")
    (tmp_path / "node_modules").symlink_to(CLIENT / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}', "utf-8")
    (tmp_path / "use.mjs").write_text(
        'import { Client, verifyWebhook } from "./dist/index.js"; console.log(Client.name, verifyWebhook.name);'
    )
    assert run_node(tmp_path / "use.mjs").split() == ["Client", "verifyWebhook"]
    assert (tmp_path / "dist" / "index.d.ts").exists()
