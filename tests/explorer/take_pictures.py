"""Take the pictures of docs/explorer.md. Run it as `python -m tests.explorer.take_pictures`; look at the pictures afterwards."""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tests.explorer.browsing import Visit
from tests.explorer.services import ROOT, serving

_PICTURES = ROOT / "docs" / "pictures"


def main() -> None:
    chromium = shutil.which("chromium")
    assert chromium, "The pictures need Chromium on the PATH. On Debian: apt-get install chromium"
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = _opened(browser, url, "/", 1280, 800)
        _save(page.screenshot(), "explorer")
        page = _opened(browser, url, "/#layer=block2_add&channel=7", 1280, 1100)
        page.get_by_role("img", name="The pattern of the photo").wait_for(timeout=90_000)
        page.get_by_role("img", name="The image that excites").wait_for(timeout=90_000)
        _save(page.locator(".network").screenshot(), "explorer_network")
        page.get_by_label("Position of the kernel").fill("320")
        _save(page.locator(".learn").screenshot(), "explorer_learn")
        page = _opened(browser, url, "/#photo=sample:coffee", 360, 740, "dark")
        _save(page.screenshot(), "explorer_phone")
        browser.close()


def _opened(browser: Browser, url: str, path: str, width: int, height: int, scheme: Literal["light", "dark"] = "light") -> Page:
    context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
    page = Visit(context.new_page(), url).open(path)
    page.wait_for_load_state("networkidle")
    return page


def _save(png: bytes, name: str) -> None:
    Image.open(io.BytesIO(png)).convert("RGB").save(_PICTURES / f"{name}.webp", quality=82, method=6)


if __name__ == "__main__":
    main()
