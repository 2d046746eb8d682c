"""Read the files of the explorer page. `explorer/` holds their source, and `npm run build` writes them to `service/explorer_page`."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources

PAGE_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
    "Vary": "Accept",
}
"""The headers of the page. It runs no script and has no style but those of its files, and it talks to no other host."""

ASSET_HEADERS: Mapping[str, str] = {"Cache-Control": "public, max-age=31536000, immutable"}
"""The headers of the page's files. Each name holds a hash of the content, so a browser may keep the file for a year."""


@dataclass(frozen=True)
class ExplorerFile:
    """A file that the page loads: its bytes and its media type."""

    content: bytes
    media_type: str


@cache
def explorer_files() -> Mapping[str, ExplorerFile]:
    """Return the files that the page loads, by their names."""
    folder = resources.files("service") / "explorer_page" / "assets"
    return {each.name: ExplorerFile(each.read_bytes(), _media_type(each.name)) for each in folder.iterdir() if each.is_file()}


def explorer_page(root_path: str) -> str:
    """Return the page as HTML. `root_path` is the path under which a proxy shows the service, or empty."""
    return _template().replace("{root}", escape(root_path, quote=True))


@cache
def _template() -> str:
    return (resources.files("service") / "explorer_page" / "index.html").read_text("utf-8")


def _media_type(name: str) -> str:
    # Systems differ in what they call a script, and a browser runs a module only under one of the right names.
    if name.endswith(".js"):
        return "text/javascript"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
