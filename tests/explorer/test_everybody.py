"""The page works with the keyboard, with a screen reader, on a phone and in the dark."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.explorer.browsing import Visit
from tests.explorer.tools import SOURCE

pytestmark = [pytest.mark.slow, pytest.mark.e2e, pytest.mark.usefixtures("packages")]


def serious(page: Page) -> list[tuple[str, list[str]]]:
    """Return what axe-core finds that is serious or critical: the rule, and the elements."""
    page.evaluate((SOURCE / "node_modules" / "axe-core" / "axe.min.js").read_text("utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
    return [
        (each["id"], [node["html"][:200] for node in each["nodes"]])
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visit: Visit, scheme: str) -> None:
    visit.page.emulate_media(color_scheme=scheme)
    page = visit.open("/#layer=block2_add&channel=9")
    expect(page.get_by_role("img", name="The image that excites channel 9")).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="Pin this view").click()
    page.locator("details summary").first.click()
    page.get_by_label("Another class").fill("cat")
    expect(page.get_by_role("list", name="Classes found")).to_be_visible()
    assert serious(page) == []


def test_axe_finds_nothing_serious_on_the_page_of_a_job(visit: Visit) -> None:
    page = visit.open()
    page.get_by_role("link", name="The page of this job").click()
    expect(page.locator(".facts").first).to_contain_text("Egyptian cat")
    assert serious(page) == []


def test_a_phone_needs_no_scrolling_to_the_side(visit: Visit) -> None:
    visit.page.set_viewport_size({"width": 360, "height": 740})
    page = visit.open("/#layer=block2_add&channel=9")
    expect(page.locator(".strip li").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.locator(".stage-canvas").bounding_box()["width"] > 300
    assert serious(page) == []


def test_the_keyboard_reaches_a_class_and_a_method(visit: Visit) -> None:
    page = visit.open()
    page.locator(".bars button").nth(0).focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#stage-title")).to_contain_text("tiger cat")
    page.get_by_role("link", name="Methods").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")  # the family "Pixels"
    expect(page.get_by_role("button", name="Pixels", exact=True)).to_have_attribute("aria-pressed", "true")
