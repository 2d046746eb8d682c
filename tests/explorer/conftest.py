from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.explorer.browsing import Visit
from tests.explorer.services import serving
from tests.explorer.tools import install_packages

expect.set_options(timeout=20_000)  # the tests run beside others, on two cores


@pytest.fixture(scope="session")
def service_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the whole service once for all tests of the page, and return its address."""
    with serving(tmp_path_factory.mktemp("serve")) as url:
        yield url


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Run Chromium for one test. Playwright runs an event loop as long as it is open, and tests with a loop of their own could not run."""
    chromium = shutil.which("chromium")
    assert chromium, "These tests need Chromium on the PATH. On Debian: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, service_url: str) -> Iterator[Visit]:
    """Yield a fresh page on the service. Afterwards, it must have asked no other host and have no error in its console."""
    yield from visited(browser, service_url)


def visited(browser: Browser, url: str) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, permissions=["clipboard-read", "clipboard-write"])
    visit = Visit(context.new_page(), url)
    yield visit
    context.close()
    assert visit.complaints == []


@pytest.fixture(scope="session")
def packages() -> None:
    """The packages of the page's source are in `explorer/node_modules`."""
    install_packages()


@pytest.fixture
def small_photo(tmp_path: Path) -> Path:
    """Return a PNG of 60 × 90 pixels (width × height), half of it orange."""
    from PIL import Image

    path = tmp_path / "tall.png"
    photo = Image.new("RGB", (60, 90), (30, 60, 90))
    photo.paste((240, 150, 30), (0, 0, 60, 45))
    photo.save(path)
    return path
