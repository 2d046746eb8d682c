"""Adapt the pages in `docs/` to the documentation site that `make docs` builds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

_DOCS = Path(__file__).parent
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
    """Turn links to existing files outside `docs/` into plain text, because the site does not hold these files.

    A link to a file that does not exist stays, so that the build fails.
    """
    folder = (_DOCS / page.file.src_uri).parent

    def replaced(link: re.Match[str]) -> str:
        target = (folder / link.group(2)).resolve()
        return link.group(1) if target.exists() and not target.is_relative_to(_DOCS) else link.group(0)

    return _LINK.sub(replaced, markdown)


def on_post_page(output: str, **_: Any) -> str:
    """Give the theme's search dialog a name, which screen readers need."""
    return output.replace('data-md-component="search" role="dialog"', 'data-md-component="search" role="dialog" aria-label="Search"')
