"""Adapt the pages in `docs/` to the documentation site that `make docs` builds.

A browser that shows the site asks no other host: diagrams are drawn beforehand, and a page that would load a file of another host is a
warning, which makes the build fail.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

_DOCS = Path(__file__).parent
_log = logging.getLogger("mkdocs.hooks")
_DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LOADING = {"src", "srcset", "poster", "data"}  # attributes whose address a browser loads; `href` is one only of a link in the head
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\(((?:\.\./)+[^)#\s]+)(?:#[^)\s]*)?\)")
_SECTION = re.compile(r"^## (.+)$|^\| \[`\w+`\]\((\w+\.md)\)", re.MULTILINE)


def on_config(config: Any) -> Any:
    """List the page of every method in the navigation, below the question that it stands under in `docs/methods/README.md`."""
    (methods,) = (section["Methods"] for section in config.nav if "Methods" in section)
    pages: list[str] = []
    for question, page in _SECTION.findall((_DOCS / "methods" / "README.md").read_text("utf-8")):
        if question:
            pages = []
            methods.append({question: pages})
        else:
            pages.append(f"methods/{page}")
    return config


def on_page_markdown(markdown: str, *, page: Any, **_: Any) -> str:
    """Put the drawn diagrams into the page, and turn links to existing files outside `docs/` into plain text.

    The site does not hold these files. A link to a file that does not exist stays, so that the build fails.
    """
    folder = (_DOCS / page.file.src_uri).parent

    def replaced(link: re.Match[str]) -> str:
        target = (folder / link.group(2)).resolve()
        return link.group(1) if target.exists() and not target.is_relative_to(_DOCS) else link.group(0)

    return _LINK.sub(replaced, _DIAGRAM.sub(lambda fence: _drawn(fence.group(1), page.file.src_uri), markdown))


def diagrams(markdown: str) -> list[str]:
    """Return the Mermaid source of each diagram of a page."""
    return _DIAGRAM.findall(markdown)


def diagram_file(source: str) -> Path:
    """Return the file of a drawn diagram. Its name is made from the diagram's source, so that a changed diagram has another file."""
    return _DOCS / "pictures" / "diagrams" / f"{hashlib.sha256(source.encode()).hexdigest()[:16]}.svg"


def _drawn(source: str, page: str) -> str:
    file = diagram_file(source)
    if not file.exists():
        _log.warning("A diagram of '%s' has changed. Draw it with `make diagrams`.", page)
        return f"```text\n{source}```"
    return f'<div class="diagram">{file.read_text("utf-8")}</div>'


class _LoadedAddresses(HTMLParser):
    """The addresses that a browser loads when it shows a page of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and (name in _LOADING or (tag, name) in (("link", "href"), ("image", "href"), ("use", "href"))):
                self.found += [each.split()[0] for each in value.split(",")] if name == "srcset" else [value]


def loaded_from_other_hosts(html: str) -> Iterator[str]:
    """Yield each address of another host that a browser would load when it shows the page. Links that a reader may follow do not count."""
    reader = _LoadedAddresses()
    reader.feed(html)
    yield from (each for each in reader.found if re.match(r"(https?:)?//", each))
    if re.search(r"""class=["'][^"']*\bmermaid\b""", html):
        yield "the script of Mermaid, which the theme loads for an element of the class 'mermaid'"


def on_post_page(output: str, *, page: Any, **_: Any) -> str:
    """Give the theme's search dialog a name, which screen readers need, and refuse what is loaded from another host."""
    for address in loaded_from_other_hosts(output):
        _log.warning("'%s' loads a file of another host: %s", page.file.src_uri, address)
    return output.replace('data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"')
