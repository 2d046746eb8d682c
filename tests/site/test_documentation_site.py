"""The files of the documentation site ask no other host. `make docs` fails on a page that would."""

from __future__ import annotations

import logging
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import pytest

from tests.site.diagrams import DOCS, hooks, sources

PAGE = SimpleNamespace(file=SimpleNamespace(src_uri="architecture.md"))
_SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize(
    ("html", "found"),
    [
        ('<script src="https://unpkg.com/mermaid@11/dist/mermaid.min.js"></script>', ["https://unpkg.com/mermaid@11/dist/mermaid.min.js"]),
        ('<link rel="stylesheet" href="//fonts.example/a.css"><link rel="icon" href="../icon.png">', ["//fonts.example/a.css"]),
        ('<img src="../pictures/a.png" srcset="../a.png 1x, http://other.example/b.png 2x">', ["http://other.example/b.png"]),
        ('<a href="https://github.com/">a link that a reader may follow</a><script src="../bundle.js"></script>', []),
        ('<pre class="mermaid"><code>', ["the script of Mermaid, which the theme loads for an element of the class 'mermaid'"]),
        ("<p>mermaid</p>", []),
    ],
)
def test_addresses_of_other_hosts_are_found_where_a_browser_loads_them(html: str, found: list[str]) -> None:
    assert list(hooks().loaded_from_other_hosts(html)) == found


def test_a_page_that_loads_from_another_host_is_a_warning_which_ends_a_strict_build(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "mkdocs"):
        hooks().on_post_page('<img src="https://other.example/a.png">', page=PAGE)
    assert caplog.messages == ["'architecture.md' loads a file of another host: https://other.example/a.png"]


def test_every_diagram_is_drawn_as_its_page_says_and_has_words_for_those_who_do_not_see_it() -> None:
    files = {hooks().diagram_file(source) for source in sources()}
    assert files == set((DOCS / "pictures" / "diagrams").glob("*.svg")), "run `make diagrams`"
    for file in files:
        drawn = ET.fromstring(file.read_text("utf-8"))  # noqa: S314 - a file of this repository
        assert all(drawn.findtext(f"{_SVG}{name}") for name in ("title", "desc"))
        assert list(drawn.iter(f"{_SVG}text"))


def test_a_page_of_the_site_holds_the_drawing_in_place_of_the_source(caplog: pytest.LogCaptureFixture) -> None:
    page = (DOCS / "architecture.md").read_text("utf-8")
    made = hooks().on_page_markdown(page, page=PAGE)
    assert "```mermaid" not in made
    assert '<div class="diagram"><svg' in made
    assert caplog.messages == []
    changed = hooks().on_page_markdown(page.replace("caller([caller])", "caller([you])"), page=PAGE)
    assert "<svg" not in changed
    assert caplog.messages == ["A diagram of 'architecture.md' has changed. Draw it with `make diagrams`."]
