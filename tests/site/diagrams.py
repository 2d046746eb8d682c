"""Draw the diagrams of `docs/` as SVG, so that the documentation site needs no script for them: `python -m tests.site.diagrams`.

The pages hold the Mermaid sources, which GitHub draws by itself. Mermaid, a package of npm, is run in Chromium.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import tarfile
import tempfile
from pathlib import Path
from types import ModuleType

from playwright.sync_api import sync_playwright

from tests.explorer.tools import npm

DOCS = Path(__file__).parents[2] / "docs"
_MERMAID = "mermaid@11.17.2"
_OPTIONS = {
    "startOnLoad": False,
    "theme": "neutral",
    "fontFamily": "sans-serif",
    "htmlLabels": False,
    "flowchart": {"htmlLabels": False, "useMaxWidth": True},
}
_DRAW = "async ([name, source, options]) => { mermaid.initialize(options); return (await mermaid.render(name, source)).svg }"


def hooks() -> ModuleType:
    """Return the module `docs/mkdocs_hooks.py`, which mkdocs loads by its path too."""
    spec = importlib.util.spec_from_file_location("mkdocs_hooks", DOCS / "mkdocs_hooks.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sources() -> list[str]:
    """Return the Mermaid source of each diagram of the pages."""
    read = hooks()
    return [source for page in sorted(DOCS.rglob("*.md")) for source in read.diagrams(page.read_text("utf-8"))]


def draw() -> None:
    """Draw each diagram that is not drawn yet, and delete the drawings of diagrams that no page has any more."""
    wanted = {hooks().diagram_file(source): source for source in sources()}
    folder = DOCS / "pictures" / "diagrams"
    folder.mkdir(exist_ok=True)
    for file in set(folder.glob("*.svg")) - set(wanted):
        file.unlink()
    missing = {file: source for file, source in wanted.items() if not file.exists()}
    if not missing:
        return
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        (packed,) = json.loads(npm("pack", _MERMAID, "--json", "--silent", cwd=Path(place)))
        with tarfile.open(Path(place) / packed["filename"]) as package:
            package.extract("package/dist/mermaid.min.js", place, filter="data")
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.add_script_tag(path=Path(place) / "package" / "dist" / "mermaid.min.js")
        for file, source in missing.items():
            file.write_text(page.evaluate(_DRAW, [f"diagram-{file.stem}", source, _OPTIONS]) + "\n", "utf-8")
        browser.close()


if __name__ == "__main__":
    draw()
