"""Open the page in a real browser, and note what a page must not do."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect

MAP_CAME = re.compile(r"The map of \d+ × \d+ cells came in")
_REFUSED = re.compile(r"the server responded with a status of (\d+)")


@dataclass
class Visit:
    """A page of a browser on a service.

    Attributes:
        page: the page.
        url: the address of the service.
        expected: the error statuses that the test provokes. A browser writes each such answer to its console.
        complaints: errors of the console and of scripts, and requests to other hosts.
    """

    page: Page
    url: str
    expected: set[int] = field(default_factory=set[int])
    complaints: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("request", self._watch)

    def open(self, path: str = "/", *, first_heat: bool = True) -> Page:
        """Go to a path of the service. Wait for the first heat unless told not to."""
        self.page.goto(self.url + path)
        if first_heat:
            self.map_line.wait_for(timeout=60_000)
            self.page.locator(".bars li").first.wait_for(timeout=60_000)
        return self.page

    @property
    def map_line(self) -> Locator:
        return self.page.get_by_text(MAP_CAME)

    def pixels(self, canvas: Locator) -> np.ndarray:
        """Return a canvas as (H, W, 4), RGBA of 0-255, when the page has drawn its latest state."""
        self.page.evaluate(
            "new Promise(done => requestAnimationFrame(() => setTimeout(() => requestAnimationFrame(() => setTimeout(done)))))"
        )
        png = canvas.evaluate("c => c.toDataURL('image/png').split(',')[1]")
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA")).astype(int)

    def width_of(self, picture: Locator) -> int:
        """Return the width in pixels of the file that an image shows, when it has come."""
        expect(picture).to_have_attribute("src", re.compile("."))
        return picture.evaluate("image => image.decode().then(() => image.naturalWidth)")

    def _hear(self, message: ConsoleMessage) -> None:
        refused = _REFUSED.search(message.text)
        if message.type in ("error", "warning") and not (refused and int(refused[1]) in self.expected):
            self.complaints.append(f"console: {message.text}")

    def _watch(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in ("data", "blob") and f"{address.scheme}://{address.netloc}" != self.url:
            self.complaints.append(f"another host: {request.url}")
